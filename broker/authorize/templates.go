package authorize

import (
	"embed"

	"apostille/broker/page"
)

// Messages is what page.New needs of this package: messages and templates.
//
//go:embed messages templates assets
var Messages embed.FS

var consentTemplate = page.MustTemplate(Messages, "templates/consent.html")
