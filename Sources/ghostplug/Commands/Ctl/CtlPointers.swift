import ArgumentParser
import CommandSupport
import DeviceControl

/// A command that is an action with `KEY=VALUE` arguments, and has its name.
protocol ActionCommand: ControlCommand {
    var busid: String { get }
    var arguments: [String] { get }
    static var action: String { get }
}

extension ActionCommand {
    func request() throws(Failure) -> ControlRequest {
        ControlRequest(Self.action, [("busid", .string(busid))] + (try keyValues(arguments)))
    }
}

extension Ctl {
    /// `ghostplug ctl mouse`.
    struct Mouse: ActionCommand {
        static let configuration = CommandConfiguration(
            abstract: "Move a mouse, turn its wheel, press its buttons.",
            discussion: """
                In this order, whatever is given:

                  press=BUTTON,…        hold from now on: left, right, middle, back, forward
                  dx=COUNTS dy=COUNTS   move to the right and downward
                  drag=BUTTON,…         hold while it moves
                  wheel=DETENTS         turn the wheel away from the user; negative is toward
                  tilt=DETENTS          tilt it to the right
                  click=BUTTON,…        press and let go of; count=2 is a double click
                  release=BUTTON,…      let go of
                  duration=SECONDS      how long moving takes, else as fast as the host asks

                EXAMPLES:
                  ghostplug ctl mouse 1-3 dx=100 dy=-20
                  ghostplug ctl mouse 1-3 click=left count=2
                  ghostplug ctl mouse 1-3 dx=300 drag=left duration=0.5
                  ghostplug ctl mouse 1-3 wheel=-3
                """)
        static let action = "mouse"

        @OptionGroup var options: ControlOptions

        @Argument(help: "The mouse, as 'ghostplug ctl devices' names it.")
        var busid: String

        @Argument(help: ArgumentHelp("What to do.", valueName: "key=value"))
        var arguments: [String]
    }

    /// `ghostplug ctl tablet`.
    struct Tablet: ActionCommand {
        static let configuration = CommandConfiguration(
            abstract: "Point with a tablet, by absolute position.",
            discussion: """
                Places are parts of the surface: 0 to 1 from the left and from the top.

                  x=PLACE y=PLACE       where to point
                  unit=raw              places are 0 to 32767 instead
                  press=BUTTON,…        hold from now on
                  drag=BUTTON,…         hold on the way to to-x=PLACE to-y=PLACE
                  wheel=DETENTS         turn the wheel away from the user
                  click=BUTTON,…        press and let go of; count=2 is a double click
                  release=BUTTON,…      let go of
                  duration=SECONDS      how long moving or dragging takes

                EXAMPLES:
                  ghostplug ctl tablet 1-4 x=0.5 y=0.5 click=left
                  ghostplug ctl tablet 1-4 x=0.1 y=0.1 drag=left to-x=0.9 to-y=0.4 duration=1
                """)
        static let action = "tablet"

        @OptionGroup var options: ControlOptions

        @Argument(help: "The tablet, as 'ghostplug ctl devices' names it.")
        var busid: String

        @Argument(help: ArgumentHelp("What to do.", valueName: "key=value"))
        var arguments: [String]
    }

    /// `ghostplug ctl touch`.
    struct Touch: ActionCommand {
        static let configuration = CommandConfiguration(
            abstract: "Touch a touchscreen.",
            discussion: """
                Places are parts of the surface: 0 to 1 from the left and from the top.

                  gesture=tap           the default: x=, y=, hold=SECONDS, count=
                  gesture=swipe         from x=, y= to to-x=, to-y= within duration=SECONDS
                  gesture=pinch         two fingers about x=, y=: distance=, to-distance=,
                                        angle=, to-angle=, duration=
                  gesture=down|move|up  parts of a gesture of your own: x=, y=, and contact= for
                                        the finger's number
                  contacts=X/Y,X/Y,…    several fingers, instead of x= and y=
                  size=, pressure=      of a finger: millimetres, 0 to 1

                EXAMPLES:
                  ghostplug ctl touch 1-5 x=0.5 y=0.5
                  ghostplug ctl touch 1-5 x=0.5 y=0.5 hold=1
                  ghostplug ctl touch 1-5 gesture=swipe x=0.5 y=0.9 to-y=0.1
                  ghostplug ctl touch 1-5 gesture=tap contacts=0.4/0.5,0.6/0.5
                """)
        static let action = "touch"

        @OptionGroup var options: ControlOptions

        @Argument(help: "The touchscreen, as 'ghostplug ctl devices' names it.")
        var busid: String

        @Argument(help: ArgumentHelp("What to do.", valueName: "key=value"))
        var arguments: [String]
    }

    /// `ghostplug ctl pad`.
    struct Pad: ActionCommand {
        static let configuration = CommandConfiguration(
            abstract: "Move a gamepad's sticks, press its buttons.",
            discussion: """
                Everything at once; what is not named stays as it is.

                  press=BUTTON,…        hold from now on; 'ghostplug ctl actions' names them
                  release=BUTTON,…      let go of
                  tap=BUTTON,…          press, and let go of after hold=SECONDS (0.1)
                  lx= ly= rx= ry=       the sticks: -1 is left or up, 1 is right or down
                  lt= rt=               the triggers: 0 to 1
                  hat=DIRECTION         up, up-right, right, … or center
                  hold=SECONDS          sticks, triggers and hat go back after this
                  reset=yes             let go of everything first

                EXAMPLES:
                  ghostplug ctl pad 1-6 tap=a
                  ghostplug ctl pad 1-6 lx=1 hold=0.5
                  ghostplug ctl pad 1-6 press=b,rb rt=1
                  ghostplug ctl pad 1-6 reset=yes
                """)
        static let action = "pad"

        @OptionGroup var options: ControlOptions

        @Argument(help: "The gamepad, as 'ghostplug ctl devices' names it.")
        var busid: String

        @Argument(help: ArgumentHelp("What to do.", valueName: "key=value"))
        var arguments: [String]
    }
}
