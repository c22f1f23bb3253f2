/// The HID models that a `composite` can have as parts.
public enum HIDModels {
    /// The models, in the order in which they are listed.
    public static let all: [any HIDModel.Type] = [
        KeyboardModel.self, MouseModel.self, TabletModel.self, TouchscreenModel.self, GamepadModel.self,
        RawHIDModel.self,
    ]
}
