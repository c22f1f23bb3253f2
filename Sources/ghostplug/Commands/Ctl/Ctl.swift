import ArgumentParser

/// `ghostplug ctl`.
struct Ctl: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Control devices while they run.",
        discussion: """
            Talks to a running 'ghostplug serve' or 'ghostplug plug' through its \
            control socket. Which one: --control PATH, else the variable \
            GHOSTPLUG_CONTROL, else the only one that this user runs. Only the \
            server's user and root can connect.

            A device is named by its bus id, such as 1-1; 'ghostplug ctl devices' \
            shows them, and 'ghostplug ctl actions' what each can do. What can be \
            done to a device is an action; 'do' does any of them, the other \
            commands are shorter ways to write the usual ones.

            EXAMPLES:
              ghostplug ctl devices
              ghostplug ctl add keyboard                  plug in another device
              ghostplug ctl type 1-2 'Hello, world!'
              ghostplug ctl key 1-2 ctrl+alt+delete
              ghostplug ctl mouse 1-3 dx=40 click=left
              ghostplug ctl eject 1-1
              ghostplug ctl insert 1-1 image=other.img
              ghostplug ctl wait 1-1 configured --timeout 10
              ghostplug ctl events --follow | jq 'select(.event == "leds")'
              ghostplug ctl remove 1-2                    as if pulled out
              ghostplug ctl stop                          end the server

            EXIT STATUS:
              0    done
              1    the server or the device could not do it
              64   the command line is wrong, or the device has no such action
              69   no server can be reached, or it has no such device
              75   what was waited for did not happen in time

            Programs can talk to the socket themselves: a JSON object a line, as \
            Documentation/Control.md has it.
            """,
        subcommands: [
            Devices.self, Add.self, Remove.self, Actions.self, Do.self, TypeText.self, Key.self, Mouse.self,
            Tablet.self, Touch.self, Pad.self, Eject.self, Insert.self, Stats.self, Unhandled.self, Events.self,
            Wait.self, Stop.self,
        ])
}
