/// Why a device cannot be exported, and what to do about it.
public struct Obstacle: Hashable, Sendable, CustomStringConvertible {
    /// The kinds, the worst first: what nothing helps against, what would lose data, what is in use, what is not allowed.
    public enum Kind: String, Sendable, CaseIterable, Comparable {
        /// A bus's own hub.
        case rootHub = "root-hub"
        /// A hub: what hangs on it would go away with it.
        case hub
        /// A file system on it is mounted.
        case mounted
        /// Memory is swapped to it.
        case swap
        /// The device mapper or a RAID is built on it.
        case held
        /// The kernel's own USB/IP server has it.
        case usbipHost = "usbip-host"
        /// Another program has claimed an interface.
        case claimed
        /// There is no node in `/dev` to reach it by.
        case nodeMissing = "node-missing"
        /// This user may not open it.
        case permission

        /// By how bad they are.
        public static func < (left: Self, right: Self) -> Bool {
            let order = allCases
            return (order.firstIndex(of: left) ?? 0) < (order.firstIndex(of: right) ?? 0)
        }
    }

    /// What kind it is.
    public var kind: Kind
    /// What is in the way, in one printable line.
    public var message: String
    /// What to do: commands to paste into a shell, one a line; what is to be said of them stands behind `#`.
    public var advice: [String]

    /// Makes an obstacle.
    public init(_ kind: Kind, _ message: String, advice: [String] = []) {
        self.kind = kind
        self.message = message
        self.advice = advice
    }

    /// Message and advice, in one line.
    public var description: String {
        advice.isEmpty ? message : "\(message): \(advice.joined(separator: "; "))"
    }
}
