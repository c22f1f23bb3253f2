/// Gives names their indices in the order in which they come, one index for one text.
struct StringIndices {
    private(set) var table: StringTable
    private let language: LanguageID
    private var known: [StringDescriptor: UInt8] = [:]
    private var last: UInt8 = 0

    /// Begins with strings at fixed indices, which are left out of the numbering.
    init(language: LanguageID, fixed: [UInt8: String]) {
        self.language = language
        table = StringTable()
        for (index, text) in fixed.sorted(by: { $0.key < $1.key }) { table[index, language] = text }
    }

    /// The index of a name, 0 for none, and 0 as well when all 255 are taken: a device with nameless parts still works.
    mutating func index(of name: String?) -> UInt8 {
        guard let name else { return 0 }
        let string = StringDescriptor(name)
        if let index = known[string] { return index }
        while last < 255 {
            last += 1
            guard table.descriptor(index: last, language: language) == nil else { continue }
            table.setDescriptor(string, index: last, language: language)
            known[string] = last
            return last
        }
        return 0
    }
}
