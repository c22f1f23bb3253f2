public import USBCore

/// What the author of a simulated device writes.
///
/// A gadget says what it is (``description``), brings an ``EndpointHandler`` for each endpoint that moves data, and
/// answers the control requests that USB's chapter 9 leaves to classes and vendors. ``GadgetDevice`` does the rest:
/// standard requests, states, halts, alternate settings. Everything runs on the device's executor.
public protocol Gadget: AnyObject {
    /// The device's descriptors. Read once, when the device is made.
    var description: DeviceDescription { get }

    /// Whoever handles the data endpoints, one for each address in any setting.
    var endpoints: [any EndpointHandler] { get }

    /// The gadget has become part of a device.
    ///
    /// - Parameter link: its way to halt endpoints and to post work; do not retain the device strongly through it.
    func attached(to link: GadgetLink)

    /// Answers a class or vendor request, or a standard one that chapter 9 leaves to the class.
    ///
    /// A transfer that is kept for later must be found by ``cancelControl(_:)``, and be completed in ``reset()``.
    func control(_ urb: consuming URB)

    /// Gives a kept control transfer back with ``TransferStatus/cancelled``; false when it is not here.
    func cancelControl(_ id: URB.ID) -> Bool

    /// A configuration was selected; 0 means none.
    func configured(_ value: UInt8)

    /// An alternate setting was selected.
    func selected(interface: UInt8, alternate: UInt8)

    /// The bus was reset: class state returns to what it was at power-up.
    func reset()

    /// Whether CLEAR_FEATURE(ENDPOINT_HALT) ends the halt of `endpoint`.
    ///
    /// The request succeeds either way. A gadget that must stay halted until a class-specific reset says false.
    func clearsHalt(of endpoint: EndpointAddress) -> Bool

    /// A host has imported the device.
    func connected()

    /// The host has gone.
    func disconnected()
}

extension Gadget {
    /// Does nothing.
    public func attached(to link: GadgetLink) {}
    /// Stalls.
    public func control(_ urb: consuming URB) { urb.stall() }
    /// False: a gadget that keeps no control transfers has none to give back.
    public func cancelControl(_ id: URB.ID) -> Bool { false }
    /// Does nothing.
    public func configured(_ value: UInt8) {}
    /// Does nothing.
    public func selected(interface: UInt8, alternate: UInt8) {}
    /// Does nothing.
    public func reset() {}
    /// True.
    public func clearsHalt(of endpoint: EndpointAddress) -> Bool { true }
    /// Does nothing.
    public func connected() {}
    /// Does nothing.
    public func disconnected() {}
}

/// Handles the transfers of one data endpoint.
public protocol EndpointHandler: AnyObject {
    /// The endpoint.
    var address: EndpointAddress { get }

    /// Takes a transfer for the endpoint, which is configured and not halted.
    func submit(_ urb: consuming URB)

    /// Gives a kept transfer back with ``TransferStatus/cancelled``; false when it is not here.
    func cancel(_ id: URB.ID) -> Bool

    /// Gives every kept transfer back with `status`: the endpoint was halted, reset or taken away.
    func completeAll(_ status: TransferStatus)

    /// Memory for the next `count` bytes from the host: see ``USBDevice/landing(for:count:)``.
    func landing(count: Int) -> UnsafeMutableRawBufferPointer?
}

extension EndpointHandler {
    /// Nil: the transport chooses.
    public func landing(count: Int) -> UnsafeMutableRawBufferPointer? { nil }
}

/// A gadget's way to the device that it is part of.
public final class GadgetLink {
    weak var device: GadgetDevice?
    var port: (any DevicePort)?

    /// Halts an endpoint: it answers STALL until the host clears it.
    ///
    /// Transfers that wait there are stalled.
    public func halt(_ endpoint: EndpointAddress) { device?.halt(endpoint) }

    /// Whether an endpoint is halted.
    public func isHalted(_ endpoint: EndpointAddress) -> Bool { device?.isHalted(endpoint) ?? false }

    /// Takes the device away from its host: see ``DevicePort/unplug()``.
    public func unplug() { port?.unplug() }

    /// Runs `work` on the device's executor; callable from work that holds the link.
    public func post(_ work: @escaping @Sendable () -> Void) { port?.post(work) }

    /// The time that the device lives by, in nanoseconds; see ``BusClock/now``.
    public var now: UInt64 { port?.clock.now ?? 0 }

    /// Makes an alarm for work on the device's executor; nil before the device has been exported.
    ///
    /// - Parameter work: must not retain what owns the alarm.
    public func makeAlarm(_ work: @escaping @Sendable () -> Void) -> Alarm? { port.map { Alarm($0, work) } }
}
