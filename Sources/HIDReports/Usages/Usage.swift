/// What a control is for: an id on a usage page (HID 1.11 §5.5).
public struct Usage: Hashable, Sendable {
    /// The usage page, see ``UsagePage``.
    public var page: UInt16
    /// The id on the page.
    public var id: UInt16

    /// Makes a usage from page and id.
    public init(page: UInt16, id: UInt16) {
        self.page = page
        self.id = id
    }

    /// Page in the high and id in the low sixteen bits, as a four-byte usage item holds them (HID 1.11 §6.2.2.8).
    public var extended: UInt32 { UInt32(page) << 16 | UInt32(id) }
}

extension Usage: Comparable {
    /// Orders by page, then by id.
    public static func < (left: Self, right: Self) -> Bool { left.extended < right.extended }
}

/// Successive ids on one usage page, such as buttons 1 to 5.
///
/// A range says nothing about how many controls there are, so that one of 65536 ids costs as much as one of two.
public struct UsageRange: Hashable, Sendable {
    /// The usage page, see ``UsagePage``.
    public var page: UInt16
    /// The first and the last id.
    public var ids: ClosedRange<UInt16>

    /// Makes a range from a page and its first and last id.
    public init(page: UInt16, ids: ClosedRange<UInt16>) {
        self.page = page
        self.ids = ids
    }

    /// Makes a range of a single usage.
    public init(_ usage: Usage) { self.init(page: usage.page, ids: usage.id...usage.id) }

    /// How many usages there are, 1 to 65536.
    public var count: Int { ids.count }

    /// The usage so many places behind the first, nil beyond the last.
    public func usage(at index: Int) -> Usage? {
        index >= 0 && index < count ? Usage(page: page, id: ids.lowerBound &+ UInt16(truncatingIfNeeded: index)) : nil
    }

    /// How many places a usage stands behind the first, nil if it is not in the range.
    public func index(of usage: Usage) -> Int? {
        usage.page == page && ids.contains(usage.id) ? Int(usage.id) - Int(ids.lowerBound) : nil
    }
}

extension UsageRange {
    /// Keys, by their usage ids on the keyboard page (HID Usage Tables §10).
    public static func keyboard(_ ids: ClosedRange<UInt8>) -> Self {
        Self(page: UsagePage.keyboard, ids: UInt16(ids.lowerBound)...UInt16(ids.upperBound))
    }
    /// Lamps, by their usage ids on the LED page (HID Usage Tables §11).
    public static func leds(_ ids: ClosedRange<UInt16>) -> Self { Self(page: UsagePage.led, ids: ids) }
    /// Buttons; 1 is the primary one (HID Usage Tables §12).
    public static func buttons(_ ids: ClosedRange<UInt16>) -> Self { Self(page: UsagePage.button, ids: ids) }
    /// Usages on the consumer page (HID Usage Tables §15).
    public static func consumer(_ ids: ClosedRange<UInt16>) -> Self { Self(page: UsagePage.consumer, ids: ids) }
    /// Usages on the generic desktop page (HID Usage Tables §4).
    public static func genericDesktop(_ ids: ClosedRange<UInt16>) -> Self {
        Self(page: UsagePage.genericDesktop, ids: ids)
    }
    /// Usages on a page of a vendor, 0xFF00 to 0xFFFF.
    public static func vendor(page: UInt16, ids: ClosedRange<UInt16>) -> Self { Self(page: page, ids: ids) }
}
