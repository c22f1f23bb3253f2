/// Usage pages (HID Usage Tables §3).
public enum UsagePage {
    /// Pointers, keyboards, axes and system control.
    public static let genericDesktop: UInt16 = 0x01
    /// Controls of vehicles, among them the triggers of gamepads.
    public static let simulation: UInt16 = 0x02
    /// Controls of sports equipment and virtual reality.
    public static let virtualReality: UInt16 = 0x03
    /// Sports equipment.
    public static let sport: UInt16 = 0x04
    /// Games.
    public static let game: UInt16 = 0x05
    /// What any device may have, such as battery strength.
    public static let genericDevice: UInt16 = 0x06
    /// Keys of keyboards and keypads.
    public static let keyboard: UInt16 = 0x07
    /// Lamps.
    public static let led: UInt16 = 0x08
    /// Buttons by number.
    public static let button: UInt16 = 0x09
    /// Numbered instances.
    public static let ordinal: UInt16 = 0x0a
    /// Telephones.
    public static let telephony: UInt16 = 0x0b
    /// Media keys and application control.
    public static let consumer: UInt16 = 0x0c
    /// Pens, touchscreens and touchpads.
    public static let digitizer: UInt16 = 0x0d
    /// Haptic feedback.
    public static let haptics: UInt16 = 0x0e
    /// Force feedback.
    public static let physicalInput: UInt16 = 0x0f
    /// Characters.
    public static let unicode: UInt16 = 0x10
    /// Sensors.
    public static let sensor: UInt16 = 0x20
    /// Displays.
    public static let monitor: UInt16 = 0x80
    /// Power devices.
    public static let power: UInt16 = 0x84
    /// Batteries.
    public static let battery: UInt16 = 0x85
    /// Authenticators (FIDO CTAP).
    public static let fido: UInt16 = 0xf1d0
}

extension Usage {
    /// A usage on the generic desktop page (HID Usage Tables §4).
    public static func genericDesktop(_ id: UInt16) -> Self { Self(page: UsagePage.genericDesktop, id: id) }
    /// A usage on the simulation page (HID Usage Tables §5).
    public static func simulation(_ id: UInt16) -> Self { Self(page: UsagePage.simulation, id: id) }
    /// A key, by its usage id on the keyboard page (HID Usage Tables §10).
    public static func keyboard(_ id: UInt8) -> Self { Self(page: UsagePage.keyboard, id: UInt16(id)) }
    /// A lamp, by its usage id on the LED page (HID Usage Tables §11).
    public static func led(_ id: UInt16) -> Self { Self(page: UsagePage.led, id: id) }
    /// A button; 1 is the primary one (HID Usage Tables §12).
    public static func button(_ number: UInt16) -> Self { Self(page: UsagePage.button, id: number) }
    /// A usage on the consumer page (HID Usage Tables §15).
    public static func consumer(_ id: UInt16) -> Self { Self(page: UsagePage.consumer, id: id) }
    /// A usage on the digitizer page (HID Usage Tables §16).
    public static func digitizer(_ id: UInt16) -> Self { Self(page: UsagePage.digitizer, id: id) }
    /// A usage on a page of a vendor, 0xFF00 to 0xFFFF.
    public static func vendor(page: UInt16, id: UInt16) -> Self { Self(page: page, id: id) }
}

// MARK: - Generic desktop

extension Usage {
    /// What a mouse's axes and buttons are collected under.
    public static let pointer = genericDesktop(0x01)
    /// A mouse.
    public static let mouse = genericDesktop(0x02)
    /// A joystick.
    public static let joystick = genericDesktop(0x04)
    /// A gamepad.
    public static let gamepad = genericDesktop(0x05)
    /// A keyboard.
    public static let keyboard = genericDesktop(0x06)
    /// A keypad.
    public static let keypad = genericDesktop(0x07)
    /// A controller of more than six axes.
    public static let multiAxisController = genericDesktop(0x08)
    /// The horizontal axis, rightward.
    public static let x = genericDesktop(0x30)
    /// The vertical axis, downward.
    public static let y = genericDesktop(0x31)
    /// The third axis, or the right stick's horizontal one.
    public static let z = genericDesktop(0x32)
    /// Rotation about x.
    public static let rx = genericDesktop(0x33)
    /// Rotation about y.
    public static let ry = genericDesktop(0x34)
    /// Rotation about z, or the right stick's vertical axis.
    public static let rz = genericDesktop(0x35)
    /// A slider.
    public static let slider = genericDesktop(0x36)
    /// A dial that turns without end or between stops.
    public static let dial = genericDesktop(0x37)
    /// A wheel, positive away from the user.
    public static let wheel = genericDesktop(0x38)
    /// A hat switch: clockwise from up, in steps of its physical range.
    public static let hatSwitch = genericDesktop(0x39)
    /// The start button of a gamepad.
    public static let start = genericDesktop(0x3d)
    /// The select button of a gamepad.
    public static let select = genericDesktop(0x3e)
    /// How many counts of a wheel make one detent.
    public static let resolutionMultiplier = genericDesktop(0x48)
    /// What system control keys are collected under.
    public static let systemControl = genericDesktop(0x80)
    /// The power key.
    public static let systemPowerDown = genericDesktop(0x81)
    /// The sleep key.
    public static let systemSleep = genericDesktop(0x82)
    /// The wake key.
    public static let systemWakeUp = genericDesktop(0x83)
    /// Directional pad: up.
    public static let dpadUp = genericDesktop(0x90)
    /// Directional pad: down.
    public static let dpadDown = genericDesktop(0x91)
    /// Directional pad: right.
    public static let dpadRight = genericDesktop(0x92)
    /// Directional pad: left.
    public static let dpadLeft = genericDesktop(0x93)
}

// MARK: - Simulation, LEDs, consumer

extension Usage {
    /// The accelerator: a gamepad's right trigger.
    public static let accelerator = simulation(0xc4)
    /// The brake: a gamepad's left trigger.
    public static let brake = simulation(0xc5)

    /// The Num Lock lamp.
    public static let numLock = led(0x01)
    /// The Caps Lock lamp.
    public static let capsLock = led(0x02)
    /// The Scroll Lock lamp.
    public static let scrollLock = led(0x03)
    /// The Compose lamp.
    public static let compose = led(0x04)
    /// The Kana lamp.
    public static let kana = led(0x05)

    /// What media keys are collected under.
    public static let consumerControl = consumer(0x01)
    /// Play or pause.
    public static let playPause = consumer(0xcd)
    /// The next track.
    public static let scanNextTrack = consumer(0xb5)
    /// The track before.
    public static let scanPreviousTrack = consumer(0xb6)
    /// Mute.
    public static let mute = consumer(0xe2)
    /// Louder.
    public static let volumeIncrement = consumer(0xe9)
    /// Quieter.
    public static let volumeDecrement = consumer(0xea)
    /// Horizontal scrolling: a wheel's tilt.
    public static let acPan = consumer(0x238)
}

// MARK: - Digitizers

extension Usage {
    /// A pen tablet that is not a screen.
    public static let digitizerTablet = digitizer(0x01)
    /// A pen on a screen or tablet.
    public static let pen = digitizer(0x02)
    /// A touchscreen.
    public static let touchScreen = digitizer(0x04)
    /// A touchpad.
    public static let touchPad = digitizer(0x05)
    /// How a digitizer is configured: the collection of ``deviceMode``.
    public static let deviceConfiguration = digitizer(0x0e)
    /// A pen: the collection of its controls.
    public static let stylus = digitizer(0x20)
    /// A finger: the collection of one contact's controls.
    public static let finger = digitizer(0x22)
    /// Pressure of a tip.
    public static let tipPressure = digitizer(0x30)
    /// Near enough to be seen.
    public static let inRange = digitizer(0x32)
    /// Touching.
    public static let tipSwitch = digitizer(0x42)
    /// The button of a pen's barrel.
    public static let barrelSwitch = digitizer(0x44)
    /// The other end of a pen.
    public static let eraser = digitizer(0x45)
    /// A contact that was meant, not a palm.
    public static let confidence = digitizer(0x47)
    /// Width of a contact.
    public static let width = digitizer(0x48)
    /// Height of a contact.
    public static let height = digitizer(0x49)
    /// The number that a contact keeps as long as it lasts.
    public static let contactIdentifier = digitizer(0x51)
    /// Mouse, single or multiple input.
    public static let deviceMode = digitizer(0x52)
    /// How many contacts a frame has.
    public static let contactCount = digitizer(0x54)
    /// How many contacts a device can tell apart.
    public static let contactCountMaximum = digitizer(0x55)
    /// When a frame was scanned, in units of 100 µs.
    public static let scanTime = digitizer(0x56)
}
