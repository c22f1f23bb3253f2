/// Collects the parts that a declaration lists between braces, with `if`, `switch` and `for` among them.
///
/// - `Part`: ``Configuration`` in a device, ``ConfigurationPart`` in a configuration, ``AssociationPart`` in an
///   association, ``InterfacePart`` in an interface, ``ClassDescriptor`` in an endpoint.
@resultBuilder
public enum DescriptorBuilder<Part> {
    /// A part by itself.
    public static func buildExpression(_ part: Part) -> [Part] { [part] }
    /// Parts that were collected elsewhere.
    public static func buildExpression(_ parts: [Part]) -> [Part] { parts }
    /// The parts of a block in order.
    public static func buildBlock(_ parts: [Part]...) -> [Part] { parts.flatMap { $0 } }
    /// The parts of an `if` without `else`.
    public static func buildOptional(_ parts: [Part]?) -> [Part] { parts ?? [] }
    /// The parts of the branch taken.
    public static func buildEither(first parts: [Part]) -> [Part] { parts }
    /// The parts of the other branch.
    public static func buildEither(second parts: [Part]) -> [Part] { parts }
    /// The parts of a loop in order.
    public static func buildArray(_ parts: [[Part]]) -> [Part] { parts.flatMap { $0 } }
    /// The parts behind an availability check.
    public static func buildLimitedAvailability(_ parts: [Part]) -> [Part] { parts }
}

/// What a configuration is declared of.
public enum ConfigurationPart: Hashable, Sendable {
    /// An alternate setting of an interface.
    case interface(Interface)
    /// Interfaces that make one function.
    case association(Association)
    /// A class descriptor, which belongs to what it follows.
    case descriptor(ClassDescriptor)
}

/// What an association is declared of.
public enum AssociationPart: Hashable, Sendable {
    /// An alternate setting of an interface.
    case interface(Interface)
    /// A class descriptor, which belongs to what it follows.
    case descriptor(ClassDescriptor)
}

/// What an interface is declared of.
public enum InterfacePart: Hashable, Sendable {
    /// An endpoint.
    case endpoint(Endpoint)
    /// A class descriptor, which belongs to what it follows: to the interface before the first endpoint.
    case descriptor(ClassDescriptor)
}

extension DescriptorBuilder where Part == ConfigurationPart {
    /// An interface in a configuration.
    public static func buildExpression(_ interface: Interface) -> [Part] { [.interface(interface)] }
    /// An association in a configuration.
    public static func buildExpression(_ association: Association) -> [Part] { [.association(association)] }
    /// A class descriptor in a configuration.
    public static func buildExpression(_ descriptor: ClassDescriptor) -> [Part] { [.descriptor(descriptor)] }
}

extension DescriptorBuilder where Part == AssociationPart {
    /// An interface in an association.
    public static func buildExpression(_ interface: Interface) -> [Part] { [.interface(interface)] }
    /// A class descriptor in an association.
    public static func buildExpression(_ descriptor: ClassDescriptor) -> [Part] { [.descriptor(descriptor)] }
}

extension DescriptorBuilder where Part == InterfacePart {
    /// An endpoint in an interface.
    public static func buildExpression(_ endpoint: Endpoint) -> [Part] { [.endpoint(endpoint)] }
    /// A class descriptor in an interface.
    public static func buildExpression(_ descriptor: ClassDescriptor) -> [Part] { [.descriptor(descriptor)] }
}
