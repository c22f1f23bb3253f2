/// Names of usages that devices commonly have, by page and id (HID Usage Tables §4 to §16).
enum UsageNames {
    static let byPage: [UInt16: [UInt16: String]] = [
        UsagePage.genericDesktop: genericDesktop, UsagePage.simulation: simulation,
        UsagePage.genericDevice: genericDevice, UsagePage.led: led, UsagePage.telephony: telephony,
        UsagePage.consumer: consumer, UsagePage.digitizer: digitizer, UsagePage.fido: fido,
    ]

    private static let genericDesktop: [UInt16: String] = [
        0x00: "Undefined", 0x01: "Pointer", 0x02: "Mouse", 0x04: "Joystick", 0x05: "Gamepad", 0x06: "Keyboard",
        0x07: "Keypad", 0x08: "Multi-axis Controller", 0x09: "Tablet PC System Controls",
        0x0c: "Wireless Radio Controls", 0x0d: "Portable Device Control", 0x0e: "System Multi-Axis Controller",
        0x30: "X", 0x31: "Y", 0x32: "Z", 0x33: "Rx", 0x34: "Ry", 0x35: "Rz", 0x36: "Slider", 0x37: "Dial",
        0x38: "Wheel", 0x39: "Hat Switch", 0x3a: "Counted Buffer", 0x3b: "Byte Count", 0x3c: "Motion Wakeup",
        0x3d: "Start", 0x3e: "Select", 0x40: "Vx", 0x41: "Vy", 0x42: "Vz", 0x43: "Vbrx", 0x44: "Vbry", 0x45: "Vbrz",
        0x46: "Vno", 0x47: "Feature Notification", 0x48: "Resolution Multiplier", 0x49: "Qx", 0x4a: "Qy", 0x4b: "Qz",
        0x4c: "Qw", 0x80: "System Control", 0x81: "System Power Down", 0x82: "System Sleep", 0x83: "System Wake Up",
        0x84: "System Context Menu", 0x85: "System Main Menu", 0x86: "System App Menu", 0x87: "System Menu Help",
        0x88: "System Menu Exit", 0x89: "System Menu Select", 0x8a: "System Menu Right", 0x8b: "System Menu Left",
        0x8c: "System Menu Up", 0x8d: "System Menu Down", 0x8e: "System Cold Restart", 0x8f: "System Warm Restart",
        0x90: "D-pad Up", 0x91: "D-pad Down", 0x92: "D-pad Right", 0x93: "D-pad Left",
        0x9b: "System Do Not Disturb", 0xa0: "System Dock", 0xa1: "System Undock", 0xa2: "System Setup",
        0xa8: "System Hibernate", 0xa9: "System Microphone Mute", 0xb0: "System Display Invert",
        0xb5: "System Display Toggle Internal/External",
    ]

    private static let simulation: [UInt16: String] = [
        0x01: "Flight Simulation Device", 0x02: "Automobile Simulation Device", 0xb0: "Aileron", 0xb8: "Elevator",
        0xba: "Rudder", 0xbb: "Throttle", 0xc4: "Accelerator", 0xc5: "Brake", 0xc6: "Clutch", 0xc7: "Shifter",
        0xc8: "Steering",
    ]

    private static let genericDevice: [UInt16: String] = [
        0x20: "Battery Strength", 0x21: "Wireless Channel", 0x22: "Wireless ID", 0x23: "Discover Wireless Control",
        0x24: "Security Code Character Entered", 0x25: "Security Code Character Erased", 0x26: "Security Code Cleared",
    ]

    private static let led: [UInt16: String] = [
        0x01: "Num Lock", 0x02: "Caps Lock", 0x03: "Scroll Lock", 0x04: "Compose", 0x05: "Kana", 0x06: "Power",
        0x07: "Shift", 0x08: "Do Not Disturb", 0x09: "Mute", 0x17: "Off-Hook", 0x18: "Ring", 0x19: "Message Waiting",
        0x20: "Hold", 0x21: "Microphone", 0x27: "Stand-by", 0x2a: "On-line", 0x2b: "Off-line", 0x2c: "Busy",
        0x2d: "Ready", 0x4b: "Generic Indicator", 0x4c: "System Suspend", 0x4d: "External Power Connected",
    ]

    private static let telephony: [UInt16: String] = [
        0x01: "Phone", 0x05: "Headset", 0x06: "Telephony Key Pad", 0x07: "Programmable Button", 0x20: "Hook Switch",
        0x21: "Flash", 0x24: "Redial", 0x2a: "Line", 0x2f: "Phone Mute", 0x97: "Line Busy Tone",
    ]

    private static let consumer: [UInt16: String] = [
        0x00: "Unassigned", 0x01: "Consumer Control", 0x02: "Numeric Key Pad", 0x03: "Programmable Buttons",
        0x04: "Microphone", 0x05: "Headphone", 0x30: "Power", 0x32: "Sleep", 0x40: "Menu", 0x41: "Menu Pick",
        0x42: "Menu Up", 0x43: "Menu Down", 0x44: "Menu Left", 0x45: "Menu Right", 0x46: "Menu Escape",
        0x6f: "Brightness Increment", 0x70: "Brightness Decrement", 0x79: "Keyboard Brightness Increment",
        0x7a: "Keyboard Brightness Decrement", 0xb0: "Play", 0xb1: "Pause", 0xb2: "Record", 0xb3: "Fast Forward",
        0xb4: "Rewind", 0xb5: "Scan Next Track", 0xb6: "Scan Previous Track", 0xb7: "Stop", 0xb8: "Eject",
        0xb9: "Random Play", 0xbc: "Repeat", 0xcc: "Stop/Eject", 0xcd: "Play/Pause", 0xcf: "Voice Command",
        0xe0: "Volume", 0xe2: "Mute", 0xe5: "Bass Boost", 0xe9: "Volume Increment", 0xea: "Volume Decrement",
        0x183: "AL Consumer Control Configuration", 0x18a: "AL Email Reader", 0x192: "AL Calculator",
        0x194: "AL Local Machine Browser", 0x196: "AL Internet Browser", 0x19e: "AL Terminal Lock/Screensaver",
        0x1a6: "AL Integrated Help Center", 0x221: "AC Search", 0x223: "AC Home", 0x224: "AC Back",
        0x225: "AC Forward", 0x226: "AC Stop", 0x227: "AC Refresh", 0x22a: "AC Bookmarks", 0x22d: "AC Zoom In",
        0x22e: "AC Zoom Out", 0x233: "AC Scroll Up", 0x234: "AC Scroll Down", 0x238: "AC Pan",
        0x29d: "AC Next Keyboard Layout Select", 0x2a0: "AC Soft Key Left",
    ]

    private static let digitizer: [UInt16: String] = [
        0x01: "Digitizer", 0x02: "Pen", 0x03: "Light Pen", 0x04: "Touch Screen", 0x05: "Touch Pad", 0x06: "White Board",
        0x0d: "Multiple Point Digitizer", 0x0e: "Device Configuration", 0x20: "Stylus", 0x21: "Puck", 0x22: "Finger",
        0x23: "Device Settings", 0x30: "Tip Pressure", 0x31: "Barrel Pressure", 0x32: "In Range", 0x33: "Touch",
        0x34: "Untouch", 0x35: "Tap", 0x36: "Quality", 0x37: "Data Valid", 0x38: "Transducer Index",
        0x39: "Tablet Function Keys", 0x3b: "Battery Strength", 0x3c: "Invert", 0x3d: "X Tilt", 0x3e: "Y Tilt",
        0x3f: "Azimuth", 0x40: "Altitude", 0x41: "Twist", 0x42: "Tip Switch", 0x43: "Secondary Tip Switch",
        0x44: "Barrel Switch", 0x45: "Eraser", 0x46: "Tablet Pick", 0x47: "Touch Valid", 0x48: "Width", 0x49: "Height",
        0x51: "Contact Identifier", 0x52: "Device Mode", 0x53: "Device Identifier", 0x54: "Contact Count",
        0x55: "Contact Count Maximum", 0x56: "Scan Time", 0x57: "Surface Switch", 0x58: "Button Switch",
        0x59: "Pad Type", 0x5a: "Secondary Barrel Switch", 0x5b: "Transducer Serial Number",
        0x60: "Latency Mode",
    ]

    private static let fido: [UInt16: String] = [
        0x01: "U2F Authenticator Device", 0x20: "Input Report Data", 0x21: "Output Report Data",
    ]
}
