package fetch

import (
	"io"
	"log"
)

// quiet drops what a test server says of broken handshakes.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
