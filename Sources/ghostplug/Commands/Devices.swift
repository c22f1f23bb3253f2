import ArgumentParser
import CommandSupport
import USBCore
import USBPassthrough

/// `ghostplug devices`.
struct Devices: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show this machine's USB devices, and what keeps one from being exported.",
        discussion: """
            Shows every device by its place, each below the hub that it hangs on, \
            with the drivers of its interfaces. Where one cannot be exported now, \
            the lines below say why, and what to do about it. A driver is no \
            reason: it is detached when a client takes the device, and has it \
            again afterwards. Needs no root; but only root sees which programs of \
            other users have a device. Buses of vhci-hcd that nothing hangs on are \
            left out, except with --json.

            EXAMPLES:
              ghostplug devices
              ghostplug devices --match class=mass-storage
              ghostplug devices --json | jq -r '.[] | select(.exportable).path'
              ghostplug serve real:3-1.2
              sudo ghostplug devices --give-back 3-1.2

            GIVING BACK:
              A server gives devices back to their drivers when it ends. One that was
              killed cannot: --give-back then offers each interface without a driver
              to those of the kernel, and says which has it now.

            JSON:
              An array, an object for each device: path, busnum, devnum, ports, speed,
              idVendor, idProduct, bcdDevice, bDeviceClass, bDeviceSubClass,
              bDeviceProtocol, manufacturer, product, serial (each where there is
              one), node, bConfigurationValue (0: none), driver, interfaces (number,
              bInterfaceClass, bInterfaceSubClass, bInterfaceProtocol, sysfs, driver or
              null), hub, virtual (attached over USB/IP), exportable, obstacles (kind,
              message, advice: the worst first).
              Kinds: root-hub, hub, mounted, swap, held, usbip-host, claimed,
              node-missing, permission.

            EXIT STATUS:
              0    also where there is no device, or no USB at all
              1    a device is not there, or an interface cannot be given back
              64   the command line is wrong
            """)

    @Flag(help: "One JSON array, an object for each device.")
    var json = false

    @Option(
        help: ArgumentHelp(
            """
            Only devices that meet these conditions, such as class=hid,vendor=1d6b ('ghostplug serve --help' has all); \
            repeatable: any of them.
            """, valueName: "key=value,…"))
    var match: [String] = []

    @Option(
        help: ArgumentHelp(
            "Offer the interfaces of a device that have no driver to the kernel's drivers.", valueName: "path"))
    var giveBack: String?

    func validate() throws {
        if giveBack != nil, json || !match.isEmpty {
            throw ValidationError("--give-back goes with no other option")
        }
    }

    mutating func run() throws {
        do throws(Failure) {
            if let giveBack { try Self.giveBack(giveBack, Inventory()) } else { try show(Inventory()) }
        } catch {
            throw error.report()
        }
    }

    // MARK: Showing

    private func show(_ inventory: Inventory) throws(Failure) {
        let (text, reason) = try output(inventory)
        if let reason { StandardError.write("ghostplug: \(reason)\n") }
        try WholeFile.printResult(text)
    }

    /// What to print, and beside JSON, which does not tell, why there is no device.
    func output(_ inventory: Inventory) throws(Failure) -> (text: String, reason: String?) {
        let matches = try conditions()
        let reason: String
        do throws(InventoryError) {
            let listing = try DeviceListing(inventory, matching: matches)
            guard listing.entries.isEmpty else {
                return (json ? Self.harmless(listing.json.text) : listing.text, nil)
            }
            let all = matches.isEmpty ? [] : try inventory.devices()
            reason = all.isEmpty ? Self.nothing(inventory) : "\(matches.unmet(all))"
        } catch {
            // What is not there cannot be shown, which is no failure.
            reason = "\(error)"
        }
        return json ? ("[]", reason) : (reason, nil)
    }

    private static func nothing(_ inventory: Inventory) -> String {
        inventory.hasBus ? "no USB device is there" : InventoryError.noBus
    }

    private func conditions() throws(Failure) -> [DeviceMatch] {
        var matches: [DeviceMatch] = []
        do throws(InventoryError) {
            for text in match { matches.append(try DeviceMatch(parsing: text)) }
        } catch {
            throw Failure("--match: \(error)", .validationFailure)
        }
        return matches
    }

    /// A JSON text in which devices' strings cannot do anything to a terminal either.
    static func harmless(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            guard !PrintableText.isHarmless(scalar) else {
                result.unicodeScalars.append(scalar)
                continue
            }
            for unit in String(scalar).utf16 { result += "\\u\(hex(unit))" }
        }
        return result
    }

    // MARK: Giving back

    private static func giveBack(_ text: String, _ inventory: Inventory) throws(Failure) {
        let (lines, hasFailed) = try lines(givingBack: text, inventory)
        try WholeFile.printResult(lines.joined(separator: "\n"))
        if hasFailed { throw Failure("not every interface could be given back", .failure) }
    }

    static func lines(
        givingBack text: String, _ inventory: Inventory
    ) throws(Failure) -> (lines: [String], hasFailed: Bool) {
        do throws(InventoryError) {
            let device = try inventory.find(try DeviceSelector(parsing: text))
            guard !device.drivers.isEmpty else { return (bare(device), false) }
            var hasFailed = false
            let lines = try inventory.giveBack(device).map { interface in
                if case .refused = interface.outcome { hasFailed = true }
                return "\(device.path) interface \(interface.number): \(words(for: interface.outcome))"
            }
            return (lines, hasFailed)
        } catch {
            throw Failure("\(error)", error.isMistake ? .validationFailure : .failure)
        }
    }

    /// A device without interfaces, as it is without a configuration.
    private static func bare(_ device: HostDevice) -> [String] {
        let value = device.listed.configurations.first?.value ?? 1
        return [
            "\(device.path): no configuration is selected, so that there is nothing to give back; select one with",
            "  echo \(value) | sudo tee /sys/bus/usb/devices/\(device.path)/bConfigurationValue",
        ]
    }

    static func words(for outcome: Inventory.OfferedInterface.Outcome) -> String {
        switch outcome {
        case .kept("usbfs"): "a program has claimed it"
        case .kept(let driver): "\(PrintableText.of(driver)) has it, and had it before"
        case .taken(let driver): "\(PrintableText.of(driver)) has it again"
        case .unwanted: "no driver that is loaded wants it"
        case .refused(let error): "cannot be given back: \(error)"
        }
    }
}
