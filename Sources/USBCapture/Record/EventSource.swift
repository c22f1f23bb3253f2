/// Gives the events of a capture one after another.
///
/// Not for several threads at once.
public protocol EventSource: AnyObject {
    /// The next event; nil at the end.
    ///
    /// - Throws: ``CaptureError`` where the capture cannot be read any further. What came before is good; after an error
    ///   there are no more events.
    func next() throws(CaptureError) -> CapturedEvent?

    /// Lends the data of the event that ``next()`` gave last: `dataCount` bytes.
    func withData<R>(_ body: (RawSpan) -> R) -> R

    /// What has been said of devices up to now beside their transfers; only ever added to.
    var announcements: [DeviceAnnouncement] { get }

    /// Reads bytes at an offset that an event gave as `dataOffset`, at any later time.
    ///
    /// - Throws: ``CaptureError`` when the file has been changed or cut since.
    func read(at offset: Int64, into memory: UnsafeMutableRawBufferPointer) throws(CaptureError)
}
