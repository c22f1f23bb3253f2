/// Where a scenario is played: who makes its devices and plugs them in.
package protocol ScenarioStage: Sendable {
    /// Does what is asked of the devices, and tells what happens to them.
    var control: any ControlTarget { get }

    /// Makes a device and begins to plug it in.
    ///
    /// - Returns: its bus id.
    /// - Throws: ``ControlError``; then there is no device.
    func plug(_ device: Scenario.Device) throws(ControlError) -> String

    /// Waits until a device can be used.
    ///
    /// - Parameters:
    ///   - timeout: nil for as long as is usual.
    ///   - cancellation: ends the wait.
    /// - Returns: what is known of the device, by ``ScenarioVariable/known`` names.
    /// - Throws: ``ControlError`` when it is not ready in time.
    func ready(
        _ busID: String, timeout: Duration?, _ cancellation: Cancellation
    ) throws(ControlError) -> [(name: String, value: String)]

    /// Pulls a device out, finishes its writes, and waits until its host has let go of it.
    ///
    /// - Returns: what could not be finished; nil when all was.
    func unplug(_ busID: String) -> String?
}
