extension DescriptorValidator {
    /// Interface associations: each names interfaces that exist, stand after it and belong to no other.
    mutating func checkAssociations(_ configuration: ConfigurationDescription) {
        var taken: Set<UInt8> = []
        var before: Set<UInt8> = []
        let present = Set(configuration.interfaceNumbers)
        for item in configuration.items {
            switch item {
            case .interface(let setting):
                before.insert(setting.number)
            case .association(let association):
                within("association of interface \(association.firstInterface)") { validator in
                    validator.checkAssociation(association, present: present, before: before, taken: taken)
                }
                taken.formUnion(association.numbers.compactMap { UInt8(exactly: $0) })
            }
        }
    }

    private mutating func checkAssociation(
        _ association: AssociationDescriptor, present: Set<UInt8>, before: Set<UInt8>, taken: Set<UInt8>
    ) {
        let section = "USB 3.2 §9.6.4"
        checkExtra(association.extra, after: 8)
        checkClassDescriptors(association.descriptors)
        require(association.interfaceCount > 0, section, "bInterfaceCount is 0; at least 1 interface is needed")
        require(
            association.functionClass.rawValue != 0, section, "bFunctionClass is 0, which is not allowed")
        for number in association.numbers {
            guard let known = UInt8(exactly: number), present.contains(known) else {
                error(
                    section,
                    "it names interfaces \(association.firstInterface) to \(association.numbers.upperBound - 1), "
                        + "but there is no interface \(number)")
                return
            }
            require(!taken.contains(known), section, "interface \(number) belongs to another association already")
            require(!before.contains(known), section, "interface \(number) stands before the association that names it")
        }
    }
}

extension AssociationDescriptor {
    /// The numbers of the interfaces, which a hostile descriptor can make exceed 255.
    var numbers: Range<Int> {
        let first = Int(firstInterface)
        return first..<first + Int(interfaceCount)
    }
}
