import USBCore

extension ZeroGadget {
    /// The descriptors; the interface's class and the device's are the maker's own, as gadget zero's are.
    static func describe(_ configuration: Configuration) -> DeviceDescription {
        DeviceDescription(
            speed: configuration.speed, vendorID: configuration.vendorID, productID: configuration.productID,
            class: .vendorSpecific, manufacturer: configuration.manufacturer, product: configuration.product,
            serialNumber: configuration.serialNumber
        ) { speed in
            let sourceSink = sourceSink(configuration, at: speed)
            let loopback = loopback(configuration, at: speed)
            configuration.beginsWithLoopback ? [loopback, sourceSink] : [sourceSink, loopback]
        }
    }

    /// `usbtest` takes the first alternate setting with a pair of endpoints, so the bulk ones are in each.
    private static func sourceSink(_ configuration: Configuration, at speed: Speed) -> USBCore.Configuration {
        let bulk = bulk(configuration, at: speed)
        return USBCore.Configuration(sourceSinkValue, name: "Source and sink") {
            Interface(0, class: .vendorSpecific, name: "Source and sink: bulk") { bulk }
            Interface(0, alternate: 1, class: .vendorSpecific, name: "Source and sink: bulk and isochronous") {
                bulk
                configuration.isochronous.endpoint(.in(2), at: speed)
                configuration.isochronous.endpoint(.out(2), at: speed)
            }
            Interface(
                0, alternate: interruptAlternate, class: .vendorSpecific, name: "Source and sink: bulk and interrupt"
            ) {
                bulk
                configuration.interrupt.endpoint(.in(3), at: speed)
                configuration.interrupt.endpoint(.out(3), at: speed)
            }
        }
    }

    private static func loopback(_ configuration: Configuration, at speed: Speed) -> USBCore.Configuration {
        USBCore.Configuration(loopbackValue, name: "Loopback") {
            Interface(0, class: .vendorSpecific, name: "Loopback") { bulk(configuration, at: speed) }
        }
    }

    private static func bulk(_ configuration: Configuration, at speed: Speed) -> [InterfacePart] {
        [EndpointAddress.in(1), .out(1)].map {
            .endpoint(configuration.bulk.endpoint($0, at: speed, of: configuration.speed))
        }
    }
}
