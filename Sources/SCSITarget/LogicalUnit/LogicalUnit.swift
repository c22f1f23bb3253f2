/// What a logical unit tells its owner, who may want to log it or to act.
public enum LogicalUnitEvent: Sendable {
    /// The host ejected the medium; it stays in the open tray until it is loaded again or taken out.
    case ejectedByHost
    /// The host loaded the medium from the tray.
    case loadedByHost
    /// The host wanted the medium back, and it cannot be opened.
    case reopenFailed(StoreError)
    /// The store failed in the course of a command; the host was told in SCSI's words.
    case storeFailed(StoreError, CDB)
}

/// A direct-access logical unit: a disk, with or without a medium in it (SBC-3, SPC-4).
///
/// It does no I/O but through its ``BlockStore``, and serves one host. Used from one thread at a time. Commands come
/// through a ``SCSITarget``.
public final class LogicalUnit {
    /// What the unit says of itself.
    public let configuration: Configuration
    /// Is told of events, in the middle of the command that caused them; must not start another.
    public var onEvent: ((LogicalUnitEvent) -> Void)?
    /// The medium that the host can reach; nil when there is none, or it was ejected.
    public private(set) var store: (any BlockStore)?
    /// How many logical blocks the medium has; a partial block at its end is not counted, and cannot be reached.
    public private(set) var blockCount: UInt64 = 0
    /// The write-protect switch that some drives and cards have.
    ///
    /// Moving it gives the host a unit attention, 6/2A/01, because it shows in the mode parameter header.
    public var isWriteProtectSwitchOn = false {
        didSet {
            if isWriteProtectSwitchOn != oldValue {
                raise(.modeParametersChanged)
            }
        }
    }
    /// Whether the host locked the medium in with PREVENT ALLOW MEDIUM REMOVAL.
    public internal(set) var isRemovalPrevented = false

    /// Opens the medium afresh when the host loads what it ejected; nil keeps it open in the tray.
    ///
    /// With it, an ejected medium is let go, as a card that somebody may exchange: another may be opened in its place.
    /// When it fails, the unit stays empty.
    public var reopen: (() throws(StoreError) -> any BlockStore)?

    /// What the host ejected, waiting to be loaded or taken out.
    private(set) var tray: Tray?
    /// Counts media, so that a command in progress notices that its own is gone.
    private(set) var mediumNumber: UInt32 = 0
    /// What the host has not been told yet.
    var attention: UnitAttention = .reset
    /// The last failed command's sense.
    var currentSense = Sense.none
    var modes: ModeSettings
    /// For data that pass through the unit itself; made when first needed.
    let scratch = ScratchBuffer()

    /// Makes a unit without a medium.
    ///
    /// The host's first command meets the unit attention of a reset.
    public init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
        modes = ModeSettings(configuration)
    }

    /// Whether there is a medium that the host can reach.
    public var isMediumPresent: Bool { store != nil }

    /// Whether writes are refused: by the unit, its switch, the medium, or the host's own wish (SWP).
    public var isWriteProtected: Bool {
        configuration.isReadOnly || modes.softwareWriteProtect || isWriteProtectSwitchOn || store?.isReadOnly ?? false
    }

    var blockExponent: UInt64 { configuration.blockSize.exponent }

    // MARK: - The medium

    /// Puts a medium in, in place of one that may be there.
    ///
    /// The host gets a unit attention: 6/28/00 from a removable unit; 6/2A/09 from a fixed one whose capacity changes.
    public func insert(_ store: any BlockStore) {
        let before = configuration.isRemovable ? nil : self.store.map { _ in blockCount }
        tray = nil
        load(store)
        if let before {
            raise(before == blockCount ? .mediumChanged : .capacityChanged)
        } else {
            raise(.mediumChanged)
        }
    }

    /// Takes the medium out, as somebody's hand does.
    ///
    /// - Parameter force: whether to do so even when the host locked it in.
    /// - Returns: Whether the unit is empty now; false when the host locked the medium in, and nothing was done.
    @discardableResult
    public func eject(force: Bool = false) -> Bool {
        if store != nil && isRemovalPrevented && !force {
            return false
        }
        tray = nil
        unload()
        return true
    }

    /// Lets the medium grow: `change` exchanges its store for one with the same bytes and more of them.
    ///
    /// It stays the same medium, and commands in progress go on. The host gets a unit attention, 6/2A/09, when the
    /// capacity is another one then. A store that has become smaller counts as another medium to commands in progress;
    /// nil is a medium taken out.
    ///
    /// - Parameter change: gets the only reference that the unit holds, so that it can close a file before it opens it
    ///   again; must not use the unit. What it leaves there holds, also when it throws.
    public func resize<Failure>(_ change: (inout (any BlockStore)?) throws(Failure) -> Void) throws(Failure) {
        let before = blockCount
        defer {
            if let store {
                blockCount = store.byteCount >> blockExponent
                if blockCount < before { mediumNumber &+= 1 }
                if blockCount != before { raise(.capacityChanged) }
            } else {
                unload()
            }
        }
        try change(&store)
    }

    /// The host is gone, and with it the lock that it put on the medium.
    public func hostLeft() { isRemovalPrevented = false }

    /// Resets the unit, as a USB reset or a power cycle does.
    ///
    /// Mode pages go back to their defaults, the medium is unlocked, sense is cleared, and the next command
    /// meets 6/29/00. An ejected medium stays ejected.
    public func busReset() {
        attention = .reset
        currentSense = .none
        isRemovalPrevented = false
        modes = ModeSettings(configuration)
    }

    /// Switches power off and on: a reset, and an ejected medium is back in the drive.
    ///
    /// What unplugging a thumb drive and plugging it in again does to it.
    public func powerCycle() {
        loadFromTray()
        busReset()
    }

    /// START STOP UNIT's eject: the medium goes to the tray.
    func moveToTray() {
        guard let store else { return }
        tray = reopen == nil ? .holding(store) : .lending(byteCount: store.byteCount)
        unload()
        onEvent?(.ejectedByHost)
    }

    /// START STOP UNIT's load; does nothing when the tray is empty, or what was in it cannot be had again.
    ///
    /// The host that asked for it knows of the change: no unit attention, unless it meets another medium.
    func loadFromTray() {
        switch tray {
        case nil: return
        case .holding(let store): load(store)
        case .lending(let byteCount):
            guard let reopen else { return }
            do throws(StoreError) {
                let store = try reopen()
                load(store)
                if store.byteCount != byteCount { raise(.mediumChanged) }
            } catch {
                onEvent?(.reopenFailed(error))
                return
            }
        }
        tray = nil
        onEvent?(.loadedByHost)
    }

    /// What becomes of an ejected medium.
    enum Tray {
        case holding(any BlockStore)
        /// Let go; ``reopen`` brings it, or another, back.
        case lending(byteCount: UInt64)
    }

    private func load(_ store: any BlockStore) {
        self.store = store
        blockCount = store.byteCount >> blockExponent
        mediumNumber &+= 1
    }

    private func unload() {
        store = nil
        blockCount = 0
        mediumNumber &+= 1
        attention.remove(.mediumChanged)
        attention.remove(.capacityChanged)
    }

    /// A reset that was not reported yet says it all: the host knows nothing of the unit then.
    private func raise(_ condition: UnitAttention) {
        if !attention.contains(.reset) {
            attention.insert(condition)
        }
    }

    // MARK: - What commands need

    /// The medium, ready for use.
    ///
    /// - Throws: Why it is not: no medium, or one too small for a single block.
    @inline(__always)
    func readyStore() throws(Sense) -> any BlockStore {
        guard let store, blockCount > 0 else { throw notReadySense }
        return store
    }

    private var notReadySense: Sense {
        Sense(.notReady, isMediumPresent ? .incompatibleMedium : .mediumNotPresent)
    }

    /// The medium that `task` began with; nil when it was taken out since.
    @inline(__always)
    func store(of task: SCSITask) -> (any BlockStore)? {
        task.medium == mediumNumber ? store : nil
    }

    /// Turns a store's failure into what the host is told, and tells the owner.
    ///
    /// A full store is 7/27/07, space allocation failed: SBC-3 §4.7.3.6 has it for thin provisioned units that run out
    /// of room, Linux maps it to "no space left on device", and reads keep working. Out-of-range, which is a store that
    /// shrank below us, is a medium error like any other failure.
    func sense(for error: StoreError, at offset: UInt64, isWrite: Bool, in task: SCSITask) -> Sense {
        onEvent?(.storeFailed(error, task.cdb))
        // An offset that does not lie in what was accessed says nothing about a block of this command.
        let place = error.offset.flatMap { $0 >= offset && $0 >> blockExponent < blockCount ? $0 : nil } ?? offset
        let block = place >> blockExponent
        return switch error.kind {
        case .full where isWrite: Sense(.dataProtect, .spaceAllocationFailed, information: block)
        case .readOnly where isWrite: Sense(.dataProtect, .writeProtected)
        default:
            Sense(.mediumError, isWrite ? .writeError : .unrecoveredReadError, information: block)
        }
    }
}

/// Things that happened to a unit and that its host must be told, one by one, each by failing a command
/// (SAM-5 §5.14).
struct UnitAttention: OptionSet {
    let rawValue: UInt8

    static let reset = UnitAttention(rawValue: 1)
    static let mediumChanged = UnitAttention(rawValue: 2)
    static let capacityChanged = UnitAttention(rawValue: 4)
    static let modeParametersChanged = UnitAttention(rawValue: 8)

    /// Takes out the condition to report next, the most far-reaching first.
    mutating func takeNext() -> Sense? {
        for (condition, additional) in Self.inOrder where contains(condition) {
            remove(condition)
            return Sense(.unitAttention, additional)
        }
        return nil
    }

    private static let inOrder: [(UnitAttention, AdditionalSense)] = [
        (.reset, .powerOnOrReset), (.mediumChanged, .mediumMayHaveChanged), (.capacityChanged, .capacityChanged),
        (.modeParametersChanged, .modeParametersChanged),
    ]
}

/// Memory of a fixed size that is allocated when first used.
@safe final class ScratchBuffer {
    /// Large enough that a call to the store costs little against its bytes.
    static let byteCount = 256 << 10

    private var memory: UnsafeMutableRawBufferPointer?

    deinit {
        unsafe memory?.deallocate()
    }

    /// The memory, at most `count` bytes of it.
    func bytes(upTo count: UInt64) -> UnsafeMutableRawBufferPointer {
        let all: UnsafeMutableRawBufferPointer
        if let memory = unsafe memory {
            unsafe all = memory
        } else {
            // The alignment lets a store use direct I/O.
            unsafe all = .allocate(byteCount: Self.byteCount, alignment: 4_096)
            unsafe memory = all
        }
        let length = Int(truncatingIfNeeded: min(count, UInt64(Self.byteCount)))
        return unsafe UnsafeMutableRawBufferPointer(rebasing: all[..<length])
    }
}
