import HIDReports
import USBCore
public import USBDeviceKit

// What a host asks of a HID interface: its descriptors (HID 1.11 §7.1) and the class's requests (§7.2).

/// The class's requests (HID 1.11 §7.2).
private enum Request {
    static let getReport: UInt8 = 0x01
    static let getIdle: UInt8 = 0x02
    static let getProtocol: UInt8 = 0x03
    static let setReport: UInt8 = 0x09
    static let setIdle: UInt8 = 0x0a
    static let setProtocol: UInt8 = 0x0b
}

extension HIDGadget {
    /// See ``Gadget/control(_:)``.
    public func control(_ urb: consuming URB) {
        let setup = urb.setup
        guard setup.recipient == .interface, setup.index < 256,
            let link = links.first(where: { $0.number == setup.index })
        else { return urb.stall() }
        switch (setup.kind, setup.direction, setup.request) {
        case (.standard, .in, StandardRequest.getDescriptor.rawValue):
            answer(urb, link.descriptor(setup.value))
        // Everything else is asked of an interface, and there is none before a configuration is selected.
        case (.class, _, _) where !link.isConfigured: urb.stall()
        case (.class, .in, Request.getReport):
            guard let kind = ReportKind(rawValue: UInt8(setup.value >> 8)) else { return urb.stall() }
            answer(urb, link.report(kind, id: UInt8(setup.value & 0xff)))
        case (.class, .in, Request.getIdle):
            guard setup.value < 256 else { return urb.stall() }
            answer(urb, link.pipe.idle.duration(of: UInt8(setup.value)).map { [$0] })
        case (.class, .in, Request.getProtocol):
            answer(urb, setup.value == 0 && link.interface.boot != .none ? [link.form.rawValue] : nil)
        case (.class, .out, Request.setReport): setReport(urb, link)
        case (.class, .out, Request.setIdle): setIdle(urb, link)
        case (.class, .out, Request.setProtocol): setProtocol(urb, link)
        default: urb.stall()
        }
    }

    private func answer(_ urb: consuming URB, _ bytes: [UInt8]?) {
        // Nothing is asked for without room for an answer.
        guard let bytes, urb.requestedLength > 0 else { return urb.stall() }
        urb.complete(copying: bytes)
    }

    private func setReport(_ urb: consuming URB, _ link: HIDLink) {
        let setup = urb.setup
        let id = UInt8(setup.value & 0xff)
        guard let kind = ReportKind(rawValue: UInt8(setup.value >> 8)), let limit = link.sizes.limit(kind, id),
            urb.requestedLength == Int(setup.length), (1...max(1, limit)).contains(urb.requestedLength)
        else { return urb.stall() }
        let bytes = urb.withBytes { [UInt8](copying: $0) }
        if link.accept(kind, id: id, bytes) { urb.accept() } else { urb.stall() }
    }

    private func setIdle(_ urb: consuming URB, _ link: HIDLink) {
        let setup = urb.setup
        guard setup.length == 0,
            link.pipe.idle.set(UInt8(setup.value >> 8), of: UInt8(setup.value & 0xff), now: link.now)
        else { return urb.stall() }
        urb.accept()
        link.idleChanged()
    }

    private func setProtocol(_ urb: consuming URB, _ link: HIDLink) {
        let setup = urb.setup
        guard setup.length == 0, setup.value < 2, link.interface.boot != .none,
            let form = HIDProtocol(rawValue: UInt8(setup.value))
        else { return urb.stall() }
        urb.accept()
        link.setForm(form)
    }
}

extension HIDLink {
    /// The descriptors of the interface; physical ones it has none (HID 1.11 §7.1.1).
    ///
    /// - Parameter value: `wValue`: the type, and an index that is 0.
    fileprivate func descriptor(_ value: UInt16) -> [UInt8]? {
        switch value {
        case UInt16(DescriptorType.hid.rawValue) << 8: hidDescriptor.bytes
        case UInt16(Self.reportDescriptorType.rawValue) << 8: interface.reportDescriptor.bytes
        default: nil
        }
    }

    /// A period may have ended under the new rate, or end earlier than the alarm that is set.
    fileprivate func idleChanged() { pipe.serve() }
}
