public import CLibUSB

/// What of libusb is used here, as a table: tests put another in its place.
///
/// Every function is callable from any thread. Those that can take long say so.
@safe public struct LibUSBFunctions: Sendable {
    /// One use of the library: each device has its own, so that what blocks one device's events blocks no other's.
    @safe public struct Context: @unchecked Sendable {
        /// Libusb's context.
        public let pointer: OpaquePointer

        /// Makes a context of what `libusb_init` gave.
        @unsafe public init(_ pointer: OpaquePointer) { unsafe self.pointer = pointer }
    }

    /// An open device.
    @safe public struct Connection: @unchecked Sendable {
        /// Where its events are handled.
        public let context: Context
        /// Libusb's handle.
        public let handle: OpaquePointer
        /// The descriptor of the device's node, which libusb uses and does not close; -1 for none.
        public let node: Int32

        /// Makes a connection of what `libusb_wrap_sys_device` gave.
        @unsafe public init(context: Context, handle: OpaquePointer, node: Int32) {
            self.context = context
            unsafe self.handle = handle
            self.node = node
        }
    }

    /// What `libusb_alloc_transfer` gives.
    public typealias Transfer = UnsafeMutablePointer<libusb_transfer>

    /// Every device there is now, hubs included.
    public var list: @Sendable () throws(LibUSBError) -> [ListedDevice]
    /// Makes a context; takes long while any device of the machine is being enumerated.
    public var makeContext: @Sendable () throws(LibUSBError) -> Context
    /// Frees a context of which no device is open.
    public var freeContext: @Sendable (Context) -> Void
    /// Opens a device by its node, such as `/dev/bus/usb/003/004`; takes long while the device is being resumed.
    ///
    /// Touches no other device.
    public var open: @Sendable (Context, _ node: String) throws(LibUSBError) -> Connection
    /// Closes a device of which no transfer is left.
    public var close: @Sendable (Connection) -> Void
    /// Selects a configuration while no interface is claimed; takes long.
    public var setConfiguration: @Sendable (Connection, Int32) throws(LibUSBError) -> Void
    /// Takes an interface away from its kernel driver.
    ///
    /// Takes long. ``LibUSBError/notFound`` when it has none.
    public var detachDriver: @Sendable (Connection, _ interface: UInt8) throws(LibUSBError) -> Void
    /// Offers an interface to the kernel's drivers.
    ///
    /// Takes long. ``LibUSBError/notFound`` when none wants it.
    public var attachDriver: @Sendable (Connection, _ interface: UInt8) throws(LibUSBError) -> Void
    /// Claims an interface.
    public var claim: @Sendable (Connection, _ interface: UInt8) throws(LibUSBError) -> Void
    /// Gives an interface up.
    public var release: @Sendable (Connection, _ interface: UInt8) throws(LibUSBError) -> Void
    /// Selects an alternate setting of a claimed interface; takes long.
    public var setAlternate: @Sendable (Connection, _ interface: UInt8, _ alternate: UInt8) throws(LibUSBError) -> Void
    /// Ends an endpoint's halt; takes long.
    public var clearHalt: @Sendable (Connection, _ endpoint: UInt8) throws(LibUSBError) -> Void
    /// Resets the device's port.
    ///
    /// Takes long. ``LibUSBError/notFound`` when it has become another device by that.
    public var reset: @Sendable (Connection) throws(LibUSBError) -> Void

    /// Makes a transfer with room for some isochronous packets; nil without memory.
    public var allocateTransfer: @Sendable (_ packets: Int32) -> Transfer?
    /// Frees a transfer that is not in flight.
    public var freeTransfer: @Sendable (Transfer) -> Void
    /// Makes memory that the kernel moves data to and from without a copy; nil where there is none to be had.
    public var allocateMemory: @Sendable (Connection, _ bytes: Int) -> UnsafeMutableRawPointer?
    /// Frees such memory, which no transfer uses any more, before the device is closed.
    public var freeMemory: @Sendable (Connection, UnsafeMutableRawPointer, _ bytes: Int) -> Void
    /// Starts a transfer: its callback is called from ``handleEvents``, if this succeeds.
    public var submit: @Sendable (Transfer) throws(LibUSBError) -> Void
    /// Asks for a transfer back; its callback is still called.
    ///
    /// ``LibUSBError/notFound`` when it is too late.
    public var cancel: @Sendable (Transfer) throws(LibUSBError) -> Void
    /// Waits for something to happen, for a minute at most, and calls the callbacks of what has.
    public var handleEvents: @Sendable (Connection) throws(LibUSBError) -> Void
    /// Ends a ``handleEvents`` that waits, or the next one.
    public var interrupt: @Sendable (Connection) -> Void
}
