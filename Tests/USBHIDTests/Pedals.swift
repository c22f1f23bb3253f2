import HIDReports
import USBHID

// What stands between the marks is shown in Documentation/Write-a-device.md, and a test keeps the two equal.

// BEGIN pedals
/// Three pedals, and a lamp that the host lights.
final class Pedals: HIDFunction {
    let interface = HIDInterface(
        ReportDescriptor {
            ReportCollection(.application, .joystick) {
                Input(.buttons(1...3))
                Padding(.input, bits: 5)
                Output(.led(0x4b))  // Generic Indicator
                Padding(.output, bits: 7)
            }
        })
    private(set) var isLit = false
    private var pressed: UInt8 = 0
    private var link: HIDLink?

    func attached(to link: HIDLink) { self.link = link }

    func press(_ pedals: UInt8) {
        pressed = pedals
        link?.send([pressed])
    }

    func report(_ kind: ReportKind, id: UInt8) -> [UInt8]? {
        kind == .input ? [pressed] : [isLit ? 1 : 0]
    }

    func receive(_ kind: ReportKind, id: UInt8, _ bytes: [UInt8]) -> Bool {
        guard kind == .output else { return false }
        isLit = bytes[0] & 1 != 0
        return true
    }

    func disconnected() { pressed = 0 }
}
// END pedals

// BEGIN tap
extension Pedals {
    /// Holds a pedal for 50 ms, and lets go of it once the host has seen that it was down.
    func tap(_ pedal: UInt8, _ completion: @escaping (Result<Void, InputScriptError>) -> Void) {
        let down = InputScript.Step(pause: .milliseconds(50)) { [unowned self] in press(pedal) }
        let up = InputScript.Step { [unowned self] in press(0) }
        link?.play(InputScript([down, up]) { [unowned self] in press(0) }, completion: completion)
    }
}
// END tap
