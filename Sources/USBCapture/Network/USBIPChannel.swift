/// The channels of USB/IP connections, which are above those of any file's interfaces: a capture can have both.
public enum USBIPChannel {
    /// The channel of a connection, counted from 1 among those that speak USB/IP.
    static func ofConnection(_ number: Int) -> Int { ContainerLimits.interfaces &+ number }

    /// The number of the USB/IP connection whose ``CapturedEvent/channel`` this is, from 1; nil for an interface.
    public static func connection(ofChannel channel: Int) -> Int? {
        channel > ContainerLimits.interfaces ? channel - ContainerLimits.interfaces : nil
    }
}
