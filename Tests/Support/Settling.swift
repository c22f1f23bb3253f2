import SocketIO

/// Waits until `condition` holds, looking every millisecond.
///
/// - Parameter bound: milliseconds after which the answer is no; generous, since only failures take that long.
/// - Returns: whether it came to hold.
package func settles(bound: Int = 10_000, _ condition: () throws -> Bool) rethrows -> Bool {
    let end = ContinuousClock.now.advanced(by: .milliseconds(bound))
    while try !condition() {
        guard ContinuousClock.now < end else { return false }
        pause(milliseconds: 1)
    }
    return true
}
