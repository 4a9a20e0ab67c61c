public enum StandIn { public static func main(arguments: [String], configuration: String) -> Int32 { 1 } }
