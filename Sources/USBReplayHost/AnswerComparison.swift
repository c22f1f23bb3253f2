import USBCore

/// Compares an answer with the recorded one.
struct AnswerComparison {
    /// What the recording has.
    struct Recorded {
        var status: TransferStatus
        var actualLength: Int
        /// As many of the bytes as the capture has.
        var data: [UInt8]
        /// Whether the answer has data at all that count: an IN.
        var hasData: Bool
        var packets: [RequestAnswer.Packet] = []
    }

    /// How an answer differs.
    enum Difference: Equatable {
        /// It ended otherwise, or one of its packets did.
        case status(String)
        /// The bytes are others; `actual` has the recorded ones where nothing is compared.
        case data(expected: [UInt8], actual: [UInt8])
        /// More or fewer bytes came; what both have is the same.
        case length(expected: [UInt8], actual: [UInt8])
        /// More or fewer bytes moved, which cannot be shown.
        case count(String)
    }

    /// The rules that are about the transfer.
    let rules: [IgnoreRule]

    private func ignores(_ subject: IgnoreRule.Subject) -> Bool {
        rules.contains { $0.ignoresAll || $0.subjects.contains(subject) }
    }

    /// The first difference that counts, nil for none.
    func difference(_ recorded: Recorded, _ answer: RequestAnswer) -> Difference? {
        if !ignores(.status) {
            if answer.status != recorded.status {
                return .status("\(words(answer.status)) where the recording has \(words(recorded.status))")
            }
            for (index, pair) in zip(recorded.packets, answer.packets).enumerated()
            where pair.0.status != pair.1.status {
                return .status(
                    "packet \(index) of the transfer: \(words(pair.1.status)) where the recording has "
                        + words(pair.0.status))
            }
        }
        let hasOtherLength = !ignores(.length) && lengthDiffers(recorded, answer)
        guard recorded.hasData else {
            guard hasOtherLength else { return nil }
            return .count(
                "the device took \(answer.actualLength) bytes where the recording has \(recorded.actualLength)")
        }
        // Of a cut recording only what it has can be compared.
        let isCut = recorded.data.count < recorded.actualLength
        let actual = isCut ? Array(answer.data.prefix(recorded.data.count)) : answer.data
        if !ignores(.data) {
            let masked = blended(recorded.data, actual)
            let shared = min(recorded.data.count, masked.count)
            if recorded.data[..<shared] != masked[..<shared] { return .data(expected: recorded.data, actual: masked) }
        }
        guard hasOtherLength else { return nil }
        for (index, pair) in zip(recorded.packets, answer.packets).enumerated() where pair.0.length != pair.1.length {
            return .count(
                "packet \(index) of the transfer has \(pair.1.length) bytes where the recording has \(pair.0.length)")
        }
        if recorded.data.count == actual.count {
            return .count(
                "\(answer.actualLength) bytes where the recording has \(recorded.actualLength), of which the capture "
                    + "has only \(recorded.data.count)")
        }
        return .length(expected: recorded.data, actual: blended(recorded.data, actual))
    }

    private func lengthDiffers(_ recorded: Recorded, _ answer: RequestAnswer) -> Bool {
        if answer.actualLength != recorded.actualLength { return true }
        return zip(recorded.packets, answer.packets).contains { $0.length != $1.length }
    }

    private func words(_ status: TransferStatus) -> String {
        switch status {
        case .success: "success"
        case .stalled: "a stall"
        default: "status \(status.rawValue)"
        }
    }

    /// The answer, with the recorded bits where the answer's do not count.
    private func blended(_ recorded: [UInt8], _ actual: [UInt8]) -> [UInt8] {
        var result = actual
        let shared = min(recorded.count, actual.count)
        for subject in rules.flatMap(\.subjects) {
            switch subject {
            case .status, .length, .data: break
            case .bytes(let first, let last):
                let end = min(shared, (last ?? shared) + 1)
                if first < end { result.replaceSubrange(first..<end, with: recorded[first..<end]) }
            case .mask(let mask):
                for index in 0..<min(shared, mask.count) {
                    result[index] = result[index] & ~mask[index] | recorded[index] & mask[index]
                }
            }
        }
        return result
    }
}
