import ArgumentParser
import CommandSupport
import DeviceControl

extension Ctl {
    /// `ghostplug ctl type`.
    struct TypeText: ControlCommand {
        static let configuration = CommandConfiguration(
            commandName: "type",
            abstract: "Type a text on a keyboard.",
            discussion: """
                The layout is the one that the host believes the keyboard to have. A \
                character that the layout cannot produce is an error that names it, and \
                nothing is typed. The command ends when the host has taken the last key.

                - as the text reads it from standard input; a line's end is the Enter key. \
                A text that begins with - has to follow --.

                EXAMPLES:
                  ghostplug ctl type 1-2 'Hello, world!'
                  ghostplug ctl type 1-2 'Grüße, Café' --layout de --rate 30
                  printf 'root\\n' | ghostplug ctl type 1-2 -
                """)

        @OptionGroup var options: ControlOptions

        @Argument(help: "The keyboard, as 'ghostplug ctl devices' names it.")
        var busid: String

        @Argument(help: "The text; - to read it from standard input.")
        var text: String

        @Option(help: "The host's keyboard layout, such as us, de or fr. (default: the device's)")
        var layout: String?

        @Option(help: ArgumentHelp("Keys a second. (default: 50)", valueName: "number"))
        var rate: String?

        func request() throws(Failure) -> ControlRequest {
            try request { () throws(Failure) in try WholeFile.read("-") }
        }

        func request(standardInput: () throws(Failure) -> [UInt8]) throws(Failure) -> ControlRequest {
            var typed = text
            if text == "-" {
                guard let input = String(validating: try standardInput(), as: UTF8.self) else {
                    throw Failure("standard input is not UTF-8", .validationFailure)
                }
                typed = input
            }
            return ControlRequest(
                "type",
                [("busid", .string(busid)), ("text", .string(typed))]
                    + (layout.map { [("layout", .string($0))] } ?? []) + (rate.map { [("rate", .string($0))] } ?? []))
        }
    }
}

extension Ctl {
    /// `ghostplug ctl key`.
    struct Key: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Press keys of a keyboard.",
            discussion: """
                A chord is one key or several with + in between: they go down from left to \
                right and up again. Several chords are pressed one after the other. Keys \
                have the names that are on them, such as a, 7, f5, enter, left, ctrl, meta.

                --press leaves the keys down, until --release or the keyboard's removal; \
                the host repeats a key that stays down, as with any keyboard.

                EXAMPLES:
                  ghostplug ctl key 1-2 ctrl+alt+delete
                  ghostplug ctl key 1-2 down down enter
                  ghostplug ctl key 1-2 f2 --hold 1.5
                  ghostplug ctl key 1-2 --press shift
                  ghostplug ctl key 1-2 --release shift
                """)

        @OptionGroup var options: ControlOptions

        @Argument(help: "The keyboard, as 'ghostplug ctl devices' names it.")
        var busid: String

        @Argument(help: ArgumentHelp("What to press, such as a or ctrl+alt+delete.", valueName: "chord"))
        var chords: [String]

        @Option(help: ArgumentHelp("How long each chord stays down. (default: 0.02)", valueName: "seconds"))
        var hold: String?

        @Flag(help: "Press and leave down.")
        var press = false

        @Flag(help: "Release what was left down.")
        var release = false

        func request() throws(Failure) -> ControlRequest {
            guard [press, release, hold != nil].count(where: { $0 }) <= 1 else {
                throw Failure("--press, --release and --hold exclude one another", .validationFailure)
            }
            return ControlRequest(
                "key",
                [("busid", .string(busid)), ("keys", .array(chords.map { .string($0) }))]
                    + (press || release ? [("action", .string(press ? "press" : "release"))] : [])
                    + (hold.map { [("hold", .string($0))] } ?? []))
        }
    }
}
