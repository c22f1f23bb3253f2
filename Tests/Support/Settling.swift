import SocketIO

/// Waits until `condition` holds, looking every millisecond.
///
/// - Parameter bound: milliseconds after which the answer is no; generous, since only failures take that long.
/// - Returns: whether it came to hold.
package func settles(bound: Int = 10_000, _ condition: () -> Bool) -> Bool {
    let end = ContinuousClock.now.advanced(by: .milliseconds(bound))
    while !condition() {
        guard ContinuousClock.now < end else { return false }
        pause(milliseconds: 1)
    }
    return true
}
