"""What the tests stand on: throw-away databases, real server processes, and a look at the processes of the system."""
