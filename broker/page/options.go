package page

import (
	"io/fs"
	"log/slog"
)

// Defaults of Options.
const (
	DefaultBrand    = "Apostille"
	DefaultLanguage = "en"
)

// Languages are the languages that every message exists in; English is first.
var Languages = []string{"en", "de", "fr", "es"}

// Options of a Renderer. The zero value is usable.
type Options struct {
	Brand    string // shown at the top of each page; "" = DefaultBrand
	Contact  string // whom to ask: text, an e-mail address, a mailto: or an https URL; "" = nobody is named
	Base     string // path of the issuer, without trailing slash; "" = the root
	Language string // of people who ask for none of Languages; "" = DefaultLanguage
	// Messages are the embedded folders of the packages that show pages: messages/{en,de,fr,es}.json, and assets/* if there are
	// any. A key or an asset that two of them define is an error.
	Messages []fs.FS
	Log      *slog.Logger // of templates that fail; nil = slog.Default
}
