import ArgumentParser
import CaptureTraces
import CaptureTranscript
import CommandSupport

/// `ghostplug show`.
struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what is in a capture of USB traffic: devices, and what they said.",
        discussion: """
            Reads pcap and pcapng (also compressed with gzip) with packets of usbmon, \
            USBPcap, or USB/IP over TCP, and usbmon's text. Needs no root, no kernel \
            module and no Wireshark. Shows the devices with what is known of them, \
            then a line for each transfer: requests by name, SCSI commands with their \
            data and status, reports of keyboards and mice by what they mean, serial \
            data as text, and everything else in hexadecimal.

            EXAMPLES:
              ghostplug show --summary usb.pcapng           the devices only
              ghostplug show usb.pcapng --device 3 | less   what one of them did
              ghostplug show usb.pcapng --device 04d9:1603 --filter 'type=interrupt'
              ghostplug show usb.pcapng --filter 'status!=0 or text~failed'
              ghostplug show usb.pcapng --image disk.img    the disk that was read
              ghostplug show usb.pcapng --json | jq -r 'select(.scsi) | .text'

            FILTER:
              Conditions, joined by and, or, not and parentheses:

              device=2            endpoint=1in (0x81, 2out, 0)   type=bulk
              packet=10..50       time=1.5..2 (seconds)          length>64
              status!=0 (stall, cancelled, unanswered, …)        request=GET_DESCRIPTOR
              scsi=READ(10)       text~"sub string"

              A bar separates values of which any will do: type=control|bulk.

            JSON:
              A line for the file, with devices: file, format, size, events, start,
              seconds, date, dropped, skipped, malformed, comments, notes, warnings,
              trouble (null, or kind, reason, offset, packet). A device: device,
              channel, bus, addresses, idVendor, idProduct, manufacturer, product,
              serial, busid, model (each where it is known), class, speed, speedKnown,
              transfers, bytesOut, bytesIn, unanswered, unasked, cut;
              descriptors (what is known of them): deviceBytes, configurations,
              configurationsOf, strings, bosBytes, qualifier, reportDescriptors,
              reportDescriptorsOf; endpoints: a list of endpoint, type, transfers,
              bytes.
              Then a line for each transfer: packet, firstPacket, lastPacket, seconds,
              duration, device, endpoint, type, status (Linux's number, null without
              an end), outcome, requested, length, setup, request, scsi, text, data,
              dataLength; of SCSI commands also lun, cdb, lba, blocks, result, sense;
              where it is so, unasked (its beginning is missing), unanswered (its end
              is), cut (data are), injected (the capturing system made it): all true.

            EXIT STATUS:
              0    everything was read
              1    the capture cannot be read, or not to its end: what is good is
                   printed all the same; or there is no such device
              64   the command line is wrong
              74   what was to be printed could not be written
            """)

    @Argument(help: ArgumentHelp("The capture; '-' for standard input.", valueName: "file"))
    var file: String

    @Option(
        help: ArgumentHelp(
            "Only this device: its number, its ids (1209:db42), or bus and address (1-5).", valueName: "device"))
    var device: String?

    @Flag(help: "Only what is in the file, without the transcript.")
    var summary = false

    @Flag(help: "JSON, an object a line.")
    var json = false

    @Option(help: ArgumentHelp("Only transfers that meet this condition.", valueName: "expression"))
    var filter: String?

    @Option(
        help: ArgumentHelp(
            "Show so many bytes of all data, or 'all'; otherwise 32 of those that words do not tell.",
            valueName: "count"))
    var bytes: String?

    @Option(
        help: ArgumentHelp(
            "Take the device's descriptors from a .umockdev file, or from a 'descriptors' file of sysfs.",
            valueName: "file"))
    var descriptors: String?

    @Option(
        help: ArgumentHelp(
            "Write the disk that a mass-storage capture read and wrote to this file; blocks that are not known are holes.",
            valueName: "file"))
    var image: String?

    @Option(
        help: ArgumentHelp(
            "The disk as it was before the recorded writes (first) or after them (last).", valueName: "state"))
    var imageState: ImageState?

    @Option(help: ArgumentHelp("The logical unit that the image is made of.", valueName: "number"))
    var lun: UInt8?

    @Flag(help: "Overwrite the image file where it exists.")
    var force = false

    /// A state of a disk, as the command line names it.
    enum ImageState: String, ExpressibleByArgument, CaseIterable {
        case first
        case last
    }

    func validate() throws {
        do throws(Failure) {
            _ = try settings()
        } catch {
            throw ValidationError(error.description)
        }
    }

    mutating func run() throws {
        do throws(Failure) {
            try ShowRun(try settings()).run()
        } catch {
            throw error.report()
        }
    }

    /// What the command line asks for.
    func settings() throws(Failure) -> ShowRun.Settings {
        var settings = ShowRun.Settings(path: file)
        settings.isSummary = summary
        settings.isJSON = json
        settings.descriptors = descriptors
        if let device {
            guard let choice = DeviceChoice.parse(device) else {
                throw wrong("--device: '\(device)' is no device; write its number, VID:PID or BUS-ADDRESS")
            }
            settings.choice = choice
        }
        if let filter {
            do throws(FilterError) {
                settings.filter = try TranscriptFilter(parsing: filter)
            } catch {
                throw wrong("--filter: \(error)")
            }
        }
        if let bytes {
            guard let count = bytes == "all" ? Int.max : Int(bytes), count >= 0 else {
                throw wrong("--bytes: '\(bytes)' is no count; write a number, or 'all'")
            }
            settings.limit = .bytes(count)
        }
        settings.image = try imageSettings()
        return settings
    }

    private func imageSettings() throws(Failure) -> ShowRun.Image? {
        guard let image else {
            if imageState != nil || lun != nil || force {
                throw wrong("--image-state, --lun and --force go with --image only")
            }
            return nil
        }
        if summary || json || filter != nil || bytes != nil {
            throw wrong("--image goes with --device, --descriptors, --image-state, --lun and --force only")
        }
        guard lun ?? 0 < 16 else { throw wrong("--lun: \(lun ?? 0) is no logical unit; there are 0 to 15") }
        return ShowRun.Image(
            path: image, version: imageState == .first ? .initial : .final, lun: lun ?? 0, overwrites: force)
    }

    private func wrong(_ message: String) -> Failure { Failure(message, .validationFailure) }
}
