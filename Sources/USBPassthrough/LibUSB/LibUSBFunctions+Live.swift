import CLibUSB
import Glibc
import USBCore

extension LibUSBError {
    /// The refusal of a system call, as libusb has it.
    fileprivate init(errno code: Int32) {
        self =
            switch code {
            case EACCES, EPERM: .access
            case ENOENT, ENODEV, ENXIO: .noDevice
            case EBUSY: .busy
            case ENOMEM, EMFILE, ENFILE: .noMemory
            default: .io
            }
    }
}

extension LibUSBFunctions {
    /// The library itself.
    public static let live = unsafe LibUSBFunctions(
        list: { () throws(LibUSBError) in
            let context = try unsafe initialize()
            defer { unsafe libusb_exit(context) }
            return try unsafe withDevices(of: context) { devices in
                unsafe devices.compactMap { unsafe describe($0) }
            }
        },
        makeContext: { () throws(LibUSBError) in unsafe Context(try initialize()) },
        freeContext: { context in unsafe libusb_exit(context.pointer) },
        open: { context, path throws(LibUSBError) in
            let node = unsafe Glibc.open(path, O_RDWR | O_CLOEXEC)
            guard node >= 0 else { throw LibUSBError(errno: errno) }
            do throws(LibUSBError) {
                var handle: OpaquePointer?
                try unsafe check(libusb_wrap_sys_device(context.pointer, Int(node), &handle))
                guard let handle = unsafe handle else { throw .other }
                return unsafe Connection(context: context, handle: handle, node: node)
            } catch {
                Glibc.close(node)
                throw error
            }
        },
        close: { connection in
            unsafe libusb_close(connection.handle)
            if connection.node >= 0 { Glibc.close(connection.node) }
        },
        setConfiguration: { connection, value throws(LibUSBError) in
            try unsafe check(libusb_set_configuration(connection.handle, value))
        },
        detachDriver: { connection, interface throws(LibUSBError) in
            try unsafe check(libusb_detach_kernel_driver(connection.handle, Int32(interface)))
        },
        attachDriver: { connection, interface throws(LibUSBError) in
            try unsafe check(libusb_attach_kernel_driver(connection.handle, Int32(interface)))
        },
        claim: { connection, interface throws(LibUSBError) in
            try unsafe check(libusb_claim_interface(connection.handle, Int32(interface)))
        },
        release: { connection, interface throws(LibUSBError) in
            try unsafe check(libusb_release_interface(connection.handle, Int32(interface)))
        },
        setAlternate: { connection, interface, alternate throws(LibUSBError) in
            try unsafe check(
                libusb_set_interface_alt_setting(connection.handle, Int32(interface), Int32(alternate)))
        },
        clearHalt: { connection, endpoint throws(LibUSBError) in
            try unsafe check(libusb_clear_halt(connection.handle, endpoint))
        },
        reset: { connection throws(LibUSBError) in try unsafe check(libusb_reset_device(connection.handle)) },
        allocateTransfer: { packets in unsafe libusb_alloc_transfer(packets) },
        freeTransfer: { transfer in unsafe libusb_free_transfer(transfer) },
        allocateMemory: { connection, bytes in
            unsafe UnsafeMutableRawPointer(libusb_dev_mem_alloc(connection.handle, bytes))
        },
        freeMemory: { connection, memory, bytes in
            _ = unsafe libusb_dev_mem_free(connection.handle, memory.assumingMemoryBound(to: UInt8.self), bytes)
        },
        submit: { transfer throws(LibUSBError) in try unsafe check(libusb_submit_transfer(transfer)) },
        cancel: { transfer throws(LibUSBError) in try unsafe check(libusb_cancel_transfer(transfer)) },
        handleEvents: { connection throws(LibUSBError) in
            var time = timeval(tv_sec: 60, tv_usec: 0)
            try unsafe check(libusb_handle_events_timeout_completed(connection.context.pointer, &time, nil))
        },
        interrupt: { connection in unsafe libusb_interrupt_event_handler(connection.context.pointer) })

    private static func check(_ code: Int32) throws(LibUSBError) {
        guard code < 0 else { return }
        throw LibUSBError(rawValue: code)
    }

    /// A context that knows the devices of this moment.
    private static func initialize() throws(LibUSBError) -> OpaquePointer {
        var context: OpaquePointer?
        try unsafe check(libusb_init(&context))
        guard let context = unsafe context else { throw .other }
        return unsafe context
    }

    private static func withDevices<R>(
        of context: OpaquePointer, _ body: (UnsafeBufferPointer<OpaquePointer>) throws(LibUSBError) -> R
    ) throws(LibUSBError) -> R {
        var list: UnsafeMutablePointer<OpaquePointer?>?
        let count = unsafe libusb_get_device_list(context, &list)
        guard count >= 0 else { throw LibUSBError(rawValue: Int32(truncatingIfNeeded: count)) }
        defer { unsafe libusb_free_device_list(list, 1) }
        // The list ends with a null, which is not counted.
        let devices = unsafe UnsafeBufferPointer(start: list, count: count).compactMap { unsafe $0 }
        var result: Result<R, LibUSBError> = .failure(.other)
        unsafe devices.withUnsafeBufferPointer { buffer in
            do throws(LibUSBError) {
                result = .success(try unsafe body(buffer))
            } catch {
                result = .failure(error)
            }
        }
        return try result.get()
    }

    // MARK: Descriptors

    private static func describe(_ device: OpaquePointer) -> ListedDevice? {
        var descriptor = libusb_device_descriptor()
        guard unsafe libusb_get_device_descriptor(device, &descriptor) >= 0 else { return nil }
        var ports = [UInt8](repeating: 0, count: 7)
        let depth = unsafe libusb_get_port_numbers(device, &ports, 7)
        let configurations = (0..<descriptor.bNumConfigurations).compactMap { index in
            unsafe configuration(index, of: device)
        }
        return unsafe ListedDevice(
            bus: libusb_get_bus_number(device), address: libusb_get_device_address(device),
            ports: Array(ports.prefix(Int(max(0, depth)))), speed: speed(libusb_get_device_speed(device)),
            vendorID: descriptor.idVendor, productID: descriptor.idProduct, release: descriptor.bcdDevice,
            deviceClass: [descriptor.bDeviceClass, descriptor.bDeviceSubClass, descriptor.bDeviceProtocol],
            configurations: configurations)
    }

    private static func configuration(_ index: UInt8, of device: OpaquePointer) -> ListedDevice.Configuration? {
        var pointer: UnsafeMutablePointer<libusb_config_descriptor>?
        guard unsafe libusb_get_config_descriptor(device, index, &pointer) >= 0, let pointer = unsafe pointer else {
            return nil
        }
        defer { unsafe libusb_free_config_descriptor(pointer) }
        let descriptor = unsafe pointer.pointee
        var settings: [ListedDevice.Setting] = []
        let interfaces = unsafe UnsafeBufferPointer(
            start: descriptor.interface, count: Int(descriptor.bNumInterfaces))
        for index in interfaces.indices {
            let alternates = unsafe UnsafeBufferPointer(
                start: interfaces[index].altsetting, count: Int(max(0, interfaces[index].num_altsetting)))
            for index in alternates.indices { unsafe settings.append(setting(alternates[index])) }
        }
        return ListedDevice.Configuration(value: unsafe descriptor.bConfigurationValue, settings: settings)
    }

    private static func setting(_ descriptor: libusb_interface_descriptor) -> ListedDevice.Setting {
        let endpoints = unsafe UnsafeBufferPointer(start: descriptor.endpoint, count: Int(descriptor.bNumEndpoints))
        let listed = endpoints.indices.map { index in
            let type: TransferType =
                switch unsafe endpoints[index].bmAttributes & 3 {
                case 1: .isochronous
                case 2: .bulk
                case 3: .interrupt
                default: .control
                }
            return ListedDevice.Endpoint(
                address: EndpointAddress(rawValue: unsafe endpoints[index].bEndpointAddress), type: type)
        }
        return unsafe ListedDevice.Setting(
            interface: descriptor.bInterfaceNumber, alternate: descriptor.bAlternateSetting,
            classTriple: [
                descriptor.bInterfaceClass, descriptor.bInterfaceSubClass, descriptor.bInterfaceProtocol,
            ], endpoints: listed)
    }

    /// Libusb numbers speeds in its own way.
    private static func speed(_ code: Int32) -> Speed? {
        switch code {
        case 1: .low
        case 2: .full
        case 3: .high
        case 4: .super
        case 5...: .superPlus
        default: nil
        }
    }
}
