public import USBCore

/// Anything that answers USB requests: a model, a decorator around one, a replayed capture, a real device.
///
/// **Confinement.** A device belongs to one ``DeviceExecutor``: calls arrive in order and never concurrently. It needs
/// no lock and is not `Sendable`. Work from elsewhere comes in through ``DevicePort/post(_:)``.
///
/// **Call sequence.** ``attach(to:)`` once; then for every host ``connect()``, any number of ``submit(_:)``,
/// ``cancel(_:)`` and ``reset(_:)``, and ``disconnect()``.
///
/// No requirement has a default: a decorator that forgot to forward one would change what the device does.
public protocol USBDevice: AnyObject {
    /// What the device is, for lists of devices: read when asked, since the configuration is part of it.
    var identity: DeviceIdentity { get }

    /// Gives the device its way to the outside. Called once, before everything else.
    func attach(to port: any DevicePort)

    /// A host has imported the device, which is now powered and in the Default state.
    func connect()

    /// The host has gone. Every transfer kept must have been given back when this returns, or soon.
    func disconnect()

    /// The type of an endpoint in the settings now selected; nil for one that does not exist.
    func transferType(of endpoint: EndpointAddress) -> TransferType?

    /// How often the bus serves an endpoint in the settings now selected; nil for one that is not periodic, and for a
    /// device that keeps time by itself.
    func schedule(of endpoint: EndpointAddress) -> PeriodicSchedule?

    /// Takes a transfer.
    ///
    /// Completing it before returning is the fast path. Keeping it is how a device NAKs; a kept transfer must be
    /// completed later, from the device's executor, and ``cancel(_:)`` must be able to find it.
    func submit(_ urb: consuming URB)

    /// Asks for the return of a kept transfer.
    ///
    /// The device gives it back with ``TransferStatus/cancelled``, now or soon, or with what it had become when it was
    /// too late. A name that it does not hold means nothing.
    func cancel(_ id: URB.ID)

    /// The bus was reset.
    func reset(_ cause: ResetCause)

    /// Memory in which the device wants to receive the next `count` bytes that the host sends to `endpoint`.
    ///
    /// Saves a copy for large transfers. The transfer that follows has these bytes as its payload; when the connection
    /// breaks first, the memory has any part of them. Nil, the usual answer, lets the transport choose.
    ///
    /// The transport writes the memory outside of the executor: the device must keep it alive until that transfer
    /// comes, or ``disconnect()``.
    func landing(for endpoint: EndpointAddress, count: Int) -> UnsafeMutableRawBufferPointer?
}

/// Why a device is being reset.
public enum ResetCause: Sendable {
    /// The host said so. The device returns to the Default state, unconfigured.
    case port
    /// The host re-reads the device descriptor as it does after a reset that USB/IP does not carry.
    ///
    /// Everything is as after a reset, but the configuration stays, in case the host only looked.
    case inferred
}

/// A device's way to the outside world.
public protocol DevicePort: AnyObject, Sendable {
    /// The time that the device lives by.
    var clock: any BusClock { get }

    /// Runs `work` on the device's executor: at once when it is free, else as soon as it is.
    ///
    /// Callable from any thread.
    func post(_ work: @escaping @Sendable () -> Void)

    /// Takes the device away from the host that has it, as if it were pulled out; another import plugs it in again.
    ///
    /// Transfers that wait are asked for with ``USBDevice/cancel(_:)``, then ``USBDevice/disconnect()`` follows. Means
    /// nothing to a device that no host has. Callable from any thread.
    func unplug()

    /// Says what the device is from now on, or with nil that no host can have it: hardware comes and goes.
    ///
    /// A host that has the device keeps it: see ``unplug()``. Callable from any thread.
    func present(_ identity: DeviceIdentity?)
}

/// What a list of devices shows of one (USB 2.0 §9.6.1, and the selected configuration's interfaces).
public struct DeviceIdentity: Hashable, Sendable {
    /// The connection's speed.
    public var speed: Speed
    /// `idVendor`.
    public var vendorID: UInt16
    /// `idProduct`.
    public var productID: UInt16
    /// `bcdDevice`.
    public var release: UInt16
    /// The class of the whole device, or zeros when its interfaces say.
    public var deviceClass: ClassTriple
    /// The selected configuration's value, 0 when none is; the one to select, while no host has the device.
    public var configurationValue: UInt8
    /// How many configurations there are.
    public var configurationCount: UInt8
    /// The class of each interface of the selected configuration, or of the first when none is selected.
    public var interfaces: [ClassTriple]
    /// The maker's and the product's names, where the device has them.
    public var name: String

    /// Class, subclass and protocol (USB 2.0 §9.6.1 and §9.6.5).
    public struct ClassTriple: Hashable, Sendable {
        /// `bDeviceClass` or `bInterfaceClass`.
        public var code: UInt8
        /// The subclass.
        public var subclass: UInt8
        /// The protocol.
        public var `protocol`: UInt8

        /// Makes a triple.
        public init(_ code: UInt8, _ subclass: UInt8, _ protocol: UInt8) {
            self.code = code
            self.subclass = subclass
            self.protocol = `protocol`
        }
    }

    /// Makes an identity.
    public init(
        speed: Speed, vendorID: UInt16, productID: UInt16, release: UInt16, deviceClass: ClassTriple,
        configurationValue: UInt8, configurationCount: UInt8, interfaces: [ClassTriple], name: String
    ) {
        self.speed = speed
        self.vendorID = vendorID
        self.productID = productID
        self.release = release
        self.deviceClass = deviceClass
        self.configurationValue = configurationValue
        self.configurationCount = configurationCount
        self.interfaces = interfaces
        self.name = name
    }
}
