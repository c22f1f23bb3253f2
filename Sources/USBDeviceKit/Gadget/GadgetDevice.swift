public import USBCore

/// Turns a ``Gadget`` into a ``USBDevice``: routes transfers, keeps halts and settings, and answers chapter 9.
public final class GadgetDevice: USBDevice {
    /// The gadget.
    public let gadget: any Gadget
    let description: DeviceDescription
    let cache: DescriptorCache
    private let link = GadgetLink()
    /// By table index.
    private let handlers: [(any EndpointHandler)?]
    private var selection = EndpointSelection()
    /// By table index; nil where the selected settings have no periodic endpoint.
    ///
    /// Beside the selection, which is looked at with every transfer and so must stay small.
    private var schedules: [PeriodicSchedule?] = Array(repeating: nil, count: 32)
    private var halted: UInt32 = 0
    private var isConnected = false

    // Chapter 9's state, changed by `GadgetDevice+ControlRequests.swift`.
    var address: UInt8 = 0
    var configurationValue: UInt8 = 0
    var alternates: [UInt8: UInt8] = [:]
    var isRemoteWakeupEnabled = false
    var superSpeedFeatures: UInt16 = 0
    var wakingInterfaces: Set<UInt8> = []

    /// Makes a device of `gadget`.
    ///
    /// - Parameter allowingInvalid: accept descriptors that break the specification: for testing hosts with broken
    ///   devices.
    /// - Throws: ``DescriptorError/refused(_:)`` with every law the description breaks.
    public init(_ gadget: any Gadget, allowingInvalid: Bool = false) throws(DescriptorError) {
        self.gadget = gadget
        let description = gadget.description
        self.description = allowingInvalid ? description : try description.validated()
        cache = DescriptorCache(description)
        var table: [(any EndpointHandler)?] = Array(repeating: nil, count: 32)
        for handler in gadget.endpoints { table[handler.address.tableIndex] = handler }
        handlers = table
        link.device = self
        gadget.attached(to: link)
    }

    /// See ``USBDevice/identity``.
    public var identity: DeviceIdentity {
        let device = description.device
        let configuration =
            description.configuration(value: configurationValue) ?? description.configurations.first
        return DeviceIdentity(
            speed: description.speed, vendorID: device.vendorID, productID: device.productID,
            release: device.deviceVersion,
            deviceClass: .init(device.deviceClass.rawValue, device.deviceSubclass, device.deviceProtocol),
            // The next host will find it so: see `USBDevice.configure(_:)`.
            configurationValue: isConnected ? configurationValue : description.configurations.first?.value ?? 0,
            configurationCount: device.configurationCount,
            interfaces: (configuration?.interfaceNumbers ?? []).compactMap { number in
                configuration?.interface(number).map {
                    .init($0.interfaceClass.rawValue, $0.interfaceSubclass, $0.interfaceProtocol)
                }
            },
            name: [description.strings[device.manufacturerIndex], description.strings[device.productIndex]]
                .compactMap { $0 }.joined(separator: " "))
    }

    /// See ``USBDevice/attach(to:)``.
    public func attach(to port: any DevicePort) { link.port = port }

    /// See ``USBDevice/connect()``.
    public func connect() {
        returnToDefault(keepingConfiguration: false)
        isConnected = true
        gadget.connected()
    }

    /// See ``USBDevice/disconnect()``.
    public func disconnect() {
        returnTransfers()
        isConnected = false
        gadget.disconnected()
        returnToDefault(keepingConfiguration: false)
    }

    /// See ``USBDevice/transferType(of:)``.
    public func transferType(of endpoint: EndpointAddress) -> TransferType? {
        endpoint.number == 0 ? .control : selection.type(of: endpoint)
    }

    /// See ``USBDevice/schedule(of:)``.
    public func schedule(of endpoint: EndpointAddress) -> PeriodicSchedule? {
        schedules[endpoint.tableIndex]
    }

    /// See ``USBDevice/submit(_:)``.
    public func submit(_ urb: consuming URB) {
        let endpoint = urb.endpoint
        if endpoint.number == 0 {
            control(urb)
            return
        }
        let index = endpoint.tableIndex
        guard selection.contains(index), halted >> UInt32(index) & 1 == 0, let handler = handlers[index] else {
            urb.stall()
            return
        }
        handler.submit(urb)
    }

    /// See ``USBDevice/cancel(_:)``.
    public func cancel(_ id: URB.ID) {
        for index in handlers.indices where handlers[index]?.cancel(id) == true { return }
        _ = gadget.cancelControl(id)
    }

    /// See ``USBDevice/reset(_:)``.
    public func reset(_ cause: ResetCause) {
        returnTransfers()
        returnToDefault(keepingConfiguration: cause == .inferred)
    }

    /// See ``USBDevice/landing(for:count:)``.
    public func landing(for endpoint: EndpointAddress, count: Int) -> UnsafeMutableRawBufferPointer? {
        let index = endpoint.tableIndex
        guard endpoint.number != 0, selection.contains(index), halted >> UInt32(index) & 1 == 0 else { return nil }
        return unsafe handlers[index]?.landing(count: count)
    }

    // MARK: Endpoints

    /// Halts an endpoint of the selected configuration, and stalls what waits there.
    func halt(_ endpoint: EndpointAddress) {
        let index = endpoint.tableIndex
        guard endpoint.number != 0, selection.contains(index) else { return }
        halted |= 1 << UInt32(index)
        handlers[index]?.completeAll(.stalled)
    }

    func clearHalt(_ endpoint: EndpointAddress) {
        guard gadget.clearsHalt(of: endpoint) else { return }
        halted &= ~(1 << UInt32(endpoint.tableIndex))
    }

    func isHalted(_ endpoint: EndpointAddress) -> Bool { halted >> UInt32(endpoint.tableIndex) & 1 == 1 }

    func hasEndpoint(_ endpoint: EndpointAddress) -> Bool {
        endpoint.number == 0 || selection.contains(endpoint.tableIndex)
    }

    /// Recomputes which endpoints exist, ends the halts of `changed` ones, and returns what waits on those that went.
    func selectEndpoints(resetting changed: (EndpointAddress) -> Bool) {
        let before = selection
        select()
        for index in handlers.indices where changed(EndpointAddress(tableIndex: index)) {
            halted &= ~(1 << UInt32(index))
            if before.contains(index) { handlers[index]?.completeAll(.shutdown) }
        }
    }

    private func select() {
        let endpoints = selectedEndpoints
        selection = EndpointSelection(endpoints)
        for index in schedules.indices { schedules[index] = nil }
        for endpoint in endpoints {
            schedules[endpoint.address.tableIndex] = PeriodicSchedule(endpoint, at: description.speed)
        }
    }

    private var selectedEndpoints: [EndpointDescriptor] {
        let configuration = description.configuration(value: configurationValue)
        return (configuration?.interfaceNumbers ?? []).flatMap { number in
            configuration?.interface(number, alternate: alternates[number] ?? 0)?.endpoints ?? []
        }
    }

    /// Gives every transfer of the data endpoints back, and refuses more until endpoints are selected again.
    private func returnTransfers() {
        selection = EndpointSelection()
        for index in handlers.indices { handlers[index]?.completeAll(.shutdown) }
    }

    private func returnToDefault(keepingConfiguration: Bool) {
        address = 0
        isRemoteWakeupEnabled = false
        superSpeedFeatures = 0
        wakingInterfaces = []
        halted = 0
        alternates = [:]
        if !keepingConfiguration { configurationValue = 0 }
        select()
        gadget.reset()
        if !keepingConfiguration { gadget.configured(0) }
    }
}

extension EndpointAddress {
    /// 0 to 31: OUT endpoints, then IN endpoints.
    var tableIndex: Int { Int(rawValue & 0x0f) | Int(rawValue >> 3 & 0x10) }

    init(tableIndex: Int) {
        let number = UInt8(truncatingIfNeeded: tableIndex)
        self = tableIndex < 16 ? .out(number) : .in(number)
    }
}

/// Which endpoints exist in the settings now selected, and their types.
struct EndpointSelection {
    private var present: UInt32 = 0
    /// Two bits an endpoint, by table index.
    private var types: UInt64 = 0

    init() {}

    init(_ endpoints: [EndpointDescriptor]) {
        for endpoint in endpoints {
            let index = endpoint.address.tableIndex
            present |= 1 << UInt32(index)
            types |= UInt64(endpoint.type.rawValue) << UInt64(index * 2)
        }
    }

    func contains(_ index: Int) -> Bool { present >> UInt32(truncatingIfNeeded: index) & 1 == 1 }

    func type(of endpoint: EndpointAddress) -> TransferType? {
        let index = endpoint.tableIndex
        return contains(index) ? TransferType(rawValue: UInt8(types >> UInt64(index * 2) & 3)) : nil
    }
}
