import USBCore
import USBDeviceKit
public import USBHID

/// A model of a HID device, alone or as a part of a `composite`.
///
/// It says what its functions are; the keys that all HID devices share, and the device itself, come from here. A new
/// one is a folder with a type that conforms, and a line in ``HIDModels``.
public protocol HIDModel: DeviceModel {
    /// The keys that no other HID model has, in the order of its documentation.
    static var ownKeys: [ModelKey] { get }
    /// The product's name unless `product=` gives one.
    static var product: String { get }
    /// `idProduct` unless `pid=` gives one.
    static var productID: UInt16 { get }

    /// Makes the functions.
    ///
    /// - Parameters:
    ///   - options: the model's keys and the shared ones; see ``HIDKeys`` for reading those.
    ///   - context: what the device is being made for.
    /// - Throws: ``ModelError`` that names the key and says what is allowed.
    static func makePart(_ options: ModelOptions, _ context: ModelContext) throws(ModelError) -> HIDPart
}

extension HIDModel {
    /// The model's own keys and those of all HID devices.
    public static var keys: [ModelKey] { ownKeys + HIDKeys.shared }

    /// Makes the device of the model's functions.
    public static func make(_ options: ModelOptions, _ context: ModelContext) throws(ModelError) -> ModelDevice {
        let part = try makePart(options, context)
        let configuration = try HIDKeys.configuration(options, context, product: product, productID: productID)
        return try part.device(configuration)
    }
}

/// What a HID model brings to a device.
public struct HIDPart {
    /// One interface each, in order.
    public var functions: [any HIDFunction]
    /// What backs it, for people: `keyboard, any number of keys at once`.
    public var backing: String
    /// What can be done to it while it runs.
    package var actions: [DeviceAction] = []

    /// Makes a part.
    public init(functions: [any HIDFunction], backing: String) {
        self.functions = functions
        self.backing = backing
    }

    /// Makes a part with actions.
    package init(functions: [any HIDFunction], backing: String, actions: [DeviceAction]) {
        self.init(functions: functions, backing: backing)
        self.actions = actions
    }

    /// Makes a device of the part.
    ///
    /// - Parameter allowingInvalid: accept descriptors that break the specification.
    /// - Throws: ``ModelError``.
    func device(
        _ configuration: HIDGadget.Configuration, allowingInvalid: Bool = false
    ) throws(ModelError) -> ModelDevice {
        guard functions.count <= HIDGadget.maximumFunctions else {
            throw ModelError("a device has at most \(HIDGadget.maximumFunctions) HID interfaces")
        }
        do throws(DescriptorError) {
            let gadget = HIDGadget(configuration, functions: functions)
            var made = ModelDevice(
                device: try GadgetDevice(gadget, allowingInvalid: allowingInvalid), backing: backing)
            made.actions = actions
            return made
        } catch {
            throw ModelError("the device's descriptors are refused: \(error)")
        }
    }
}
