package samlidp

import "embed"

// Messages is what page.New needs of this package.
//
//go:embed messages
var Messages embed.FS
