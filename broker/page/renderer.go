package page

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Renderer writes pages. It is safe for concurrent use.
type Renderer struct {
	brand, base string
	contact     Contact
	messages    map[string]catalogue // by language
	matcher     *matcher
	assets      *assets
	log         *slog.Logger
	templates   sync.Map // instance → *template.Template: each is parsed once a language
}

// New makes a Renderer. It fails if a message is missing in a language, or a key or an asset exists twice.
func New(o Options) (*Renderer, error) {
	if o.Brand == "" {
		o.Brand = DefaultBrand
	}
	if o.Language == "" {
		o.Language = DefaultLanguage
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if !slices.Contains(Languages, o.Language) {
		return nil, fmt.Errorf("language %q: the pages speak %s", o.Language, strings.Join(Languages, ", "))
	}
	folders := append([]fs.FS{files}, o.Messages...)
	messages, err := readMessages(folders)
	served, assetErr := readAssets(folders)
	if err := errors.Join(err, assetErr); err != nil {
		return nil, err
	}
	return &Renderer{
		brand: Clean(o.Brand), base: strings.TrimSuffix(o.Base, "/"), contact: parseContact(o.Contact),
		messages: messages, matcher: newMatcher(o.Language), assets: served, log: o.Log,
	}, nil
}

// Assets serves BASE/assets/{name}.
func (r *Renderer) Assets() http.Handler { return r.assets }

// Text returns a message in a language, for a title or an answer that is no page. An unknown key is logged and shown as it is:
// a missing word must not take a page away.
func (r *Renderer) Text(lang, key string, args ...any) string { return r.text(lang, key, args) }

func (r *Renderer) text(lang, key string, args []any) string {
	text, ok := r.messages[lang][key]
	if !ok {
		if r.log != nil {
			r.log.Error("page: no such message", "key", key, "language", lang)
		}
		return key
	}
	return fill(text, lang, args)
}

// asset returns the address of an asset by its plain name.
func (r *Renderer) asset(name string) (string, error) {
	hashed, ok := r.assets.hashed[name]
	if !ok {
		return "", fmt.Errorf("no asset %q", name)
	}
	return r.base + "/assets/" + hashed, nil
}
