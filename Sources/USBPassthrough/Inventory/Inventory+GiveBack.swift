extension Inventory {
    /// An interface that was offered to the kernel's drivers.
    public struct OfferedInterface: Hashable, Sendable {
        /// What became of it.
        public enum Outcome: Hashable, Sendable {
            /// It had a driver already: which.
            case kept(driver: String)
            /// A driver took it: which.
            case taken(driver: String)
            /// No driver that is loaded wants it.
            case unwanted
            /// It could not be offered.
            case refused(LibUSBError)
        }

        /// `bInterfaceNumber`.
        public var number: UInt8
        /// What became of it.
        public var outcome: Outcome

        /// Makes an interface.
        public init(number: UInt8, outcome: Outcome) {
            self.number = number
            self.outcome = outcome
        }
    }

    /// Offers every interface without a driver to the kernel's drivers, as a device is left by a server that was killed.
    ///
    /// Takes as long as the drivers take to start.
    ///
    /// - Throws: ``InventoryError/refused(_:_:_:)`` when the device cannot be opened.
    public func giveBack(_ device: HostDevice) throws(InventoryError) -> [OfferedInterface] {
        var errors: [UInt8: LibUSBError] = [:]
        let orphans = device.drivers.filter { $0.driver == nil }
        if !orphans.isEmpty {
            let context: LibUSBFunctions.Context
            let connection: LibUSBFunctions.Connection
            do throws(LibUSBError) {
                context = try libusb.makeContext()
            } catch {
                throw .unlisted(error, hasBus: hasBus)
            }
            defer { libusb.freeContext(context) }
            do throws(LibUSBError) {
                connection = try libusb.open(context, device.node)
            } catch {
                throw .refused("open it", device, error)
            }
            defer { libusb.close(connection) }
            for orphan in orphans {
                do throws(LibUSBError) {
                    try libusb.attachDriver(connection, orphan.number)
                } catch {
                    errors[orphan.number] = error
                }
            }
        }
        return device.drivers.map { interface in
            if let driver = interface.driver {
                return OfferedInterface(number: interface.number, outcome: .kept(driver: driver))
            }
            // What sysfs shows counts: a driver may have come by itself meanwhile.
            if let driver = driver(of: interface.systemName) {
                return OfferedInterface(number: interface.number, outcome: .taken(driver: driver))
            }
            let error = errors[interface.number].flatMap { $0 == .notFound ? nil : $0 }
            return OfferedInterface(number: interface.number, outcome: error.map { .refused($0) } ?? .unwanted)
        }
    }
}
