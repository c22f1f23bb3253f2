/// What became of one control request for data.
package enum ControlAnswer: Hashable, Sendable {
    /// The bytes that came: at most as many as were asked for.
    case bytes([UInt8])
    /// The device answered with STALL: it does not have this, or does not know the request (USB 2.0 §9.2.7).
    case stalled
    /// The device let the time for an answer pass.
    case silent
    /// The transfer failed in another way: how, in words.
    case failed(String)
    /// Nobody asked: why, in words.
    case notAsked(String)

    /// The bytes, nil where none came.
    package var bytes: [UInt8]? {
        guard case .bytes(let bytes) = self else { return nil }
        return bytes
    }

    /// Why there are no bytes, in words; nil where there are.
    var failure: String? {
        switch self {
        case .bytes: nil
        case .stalled: "STALL"
        case .silent: "no answer in time"
        case .failed(let how): how
        case .notAsked(let why): "not read: \(why)"
        }
    }

    /// Whether the device was asked and did not give what it was asked for.
    var isRefusal: Bool {
        switch self {
        case .bytes, .notAsked: false
        case .stalled, .silent, .failed: true
        }
    }
}
