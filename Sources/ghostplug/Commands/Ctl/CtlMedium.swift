import ArgumentParser
import CommandSupport
import DeviceControl

extension Ctl {
    /// `ghostplug ctl eject`.
    struct Eject: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take the medium out of a drive.",
            discussion: """
                What was written is finished first. Hosts lock the medium of a mounted \
                file system in; --force takes it all the same, as a hand would.

                EXAMPLES:
                  ghostplug ctl eject 1-1
                  ghostplug ctl eject 1-1 --lun 2 --force
                """)

        @OptionGroup var options: ControlOptions

        @Argument(help: "The drive, as 'ghostplug ctl devices' names it.")
        var busid: String

        @Flag(help: "Even if the host has locked the medium in.")
        var force = false

        @Option(help: ArgumentHelp("The drive's logical unit. (default: 0)", valueName: "number"))
        var lun: String?

        func request() -> ControlRequest {
            ControlRequest(
                "eject",
                [("busid", .string(busid))] + (lun.map { [("lun", .string($0))] } ?? [])
                    + (force ? [("force", .bool(true))] : []))
        }
    }

    /// `ghostplug ctl insert`.
    struct Insert: ActionCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put a medium into a drive.",
            discussion: """
                Without arguments, the one that was there before. Paths are the server's: \
                relative ones count from the folder that it was started in.

                  image=PATH      a raw image file
                  dir=PATH        a folder whose files the medium has
                  size=BYTES      memory, or the size of image= or dir=
                  readonly=yes    refuse writes
                  snapshot=yes    leave the image alone and forget changes
                  format=, label= the file system on a blank medium
                  lun=NUMBER      the drive's logical unit
                  force=yes       even if the host has locked in the one that is there

                EXAMPLES:
                  ghostplug ctl insert 1-1
                  ghostplug ctl insert 1-1 image=$PWD/other.img readonly=yes
                """)
        static let action = "insert"

        @OptionGroup var options: ControlOptions

        @Argument(help: "The drive, as 'ghostplug ctl devices' names it.")
        var busid: String

        @Argument(help: ArgumentHelp("What to insert.", valueName: "key=value"))
        var arguments: [String] = []
    }
}
