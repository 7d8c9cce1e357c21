package authorize

import (
	"embed"

	"apostille/broker/page"
)

// Messages is what page.New needs of this package: messages, templates and the script of the form_post page.
//
//go:embed messages templates assets
var Messages embed.FS

var (
	consentTemplate = page.MustTemplate(Messages, "templates/consent.html")
	postTemplate    = page.MustTemplate(Messages, "templates/post.html")
)
