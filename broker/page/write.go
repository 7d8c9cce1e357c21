package page

import (
	"bytes"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Page is one answer.
type Page struct {
	Status    int // 0 = 200
	Template  *Template
	Title     string // message key
	TitleArgs []any
	Data      any      // the dot of the template
	Locales   []string // wishes of the request that led here, most wanted first; ui_locales of this one goes before
	Narrow    bool     // a form or a question: one narrow column

	// FormAction lists where forms may lead beside this origin, redirects that answer them included: browsers refuse a redirect
	// from a form's answer to an origin that is not listed. An origin, or a scheme such as "https:" or "com.example.app:".
	FormAction []string
	Frames     []string // origins that may be framed (front-channel logout)
	Connect    bool     // scripts of the page may ask this origin
	Languages  bool     // offer the other languages as links to the same GET address; only where its query holds no secret
}

// view is the dot of the layout.
type view struct {
	Lang, Title string
	Data        any
	Narrow      bool
	Languages   []languageLink
}

type languageLink struct{ Lang, Name, URL string }

// languageNames in their own language.
var languageNames = map[string]string{"en": "English", "de": "Deutsch", "fr": "Français", "es": "Español"}

// Write answers with a page. A template that fails is logged and answered 500: half a page is never sent.
func (r *Renderer) Write(w http.ResponseWriter, req *http.Request, p Page) {
	lang := r.language(req, p.Locales)
	v := view{Lang: lang, Title: r.text(lang, p.Title, p.TitleArgs), Data: p.Data, Narrow: p.Narrow}
	if p.Languages && (req.Method == http.MethodGet || req.Method == http.MethodHead) {
		v.Languages = otherLanguages(req.URL, lang)
	}
	body, err := r.execute(p.Template, lang, "layout", v)
	if err != nil {
		r.failed(w, p.Template, err)
		return
	}
	policy(w.Header(), p)
	send(w, req, p.Status, lang, body)
}

// Fragment answers with one named template of a page, without layout and for its script only: it runs nothing by itself.
func (r *Renderer) Fragment(w http.ResponseWriter, req *http.Request, p Page, name string) {
	lang := r.language(req, p.Locales)
	body, err := r.execute(p.Template, lang, name, p.Data)
	if err != nil {
		r.failed(w, p.Template, err)
		return
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	send(w, req, p.Status, lang, body)
}

func (r *Renderer) execute(t *Template, lang, name string, data any) ([]byte, error) {
	parsed, err := r.parsed(t, lang)
	if err != nil {
		return nil, err
	}
	b := bytes.NewBuffer(make([]byte, 0, 16<<10))
	if err := parsed.ExecuteTemplate(b, name, data); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func (r *Renderer) failed(w http.ResponseWriter, t *Template, err error) {
	r.log.Error("page: a template failed", "template", t.name, "error", err)
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, "the page could not be made", http.StatusInternalServerError)
}

// policy sets the content security policy of a page: its own files, nothing inline, nobody's frame.
func policy(h http.Header, p Page) {
	var b strings.Builder
	b.WriteString("default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'")
	sources(&b, p.FormAction)
	if p.Connect {
		b.WriteString("; connect-src 'self'")
	}
	if len(p.Frames) > 0 {
		b.WriteString("; frame-src")
		sources(&b, p.Frames)
	}
	h.Set("Content-Security-Policy", b.String())
	h.Set("X-Frame-Options", "DENY") // for browsers that do not know frame-ancestors
}

// sources writes origins and schemes. One that could end its directive or is no source is left out: the browser then refuses
// what it would have allowed.
func sources(b *strings.Builder, list []string) {
	for _, s := range list {
		if s == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`;,'"*\`, r) }) {
			continue
		}
		if u, err := url.Parse(s); err != nil || u.Scheme == "" || u.User != nil {
			continue
		}
		b.WriteByte(' ')
		b.WriteString(s)
	}
}

func send(w http.ResponseWriter, req *http.Request, status int, lang string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", lang)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	// Not no-referrer: with it browsers send `Origin: null` from our own forms, which is what a stranger's form can do as well.
	h.Set("Referrer-Policy", "same-origin")
	h.Add("Vary", "Accept-Language")
	if status == 0 {
		status = http.StatusOK
	}
	w.WriteHeader(status)
	if req.Method != http.MethodHead {
		_, _ = w.Write(body) // the browser went away: nothing is left to tell it
	}
}

// otherLanguages links to the same page in the other languages.
func otherLanguages(u *url.URL, lang string) []languageLink {
	links := make([]languageLink, 0, len(Languages)-1)
	query := u.Query()
	for _, other := range Languages {
		if other != lang {
			query.Set("ui_locales", other)
			links = append(links, languageLink{Lang: other, Name: languageNames[other], URL: "?" + query.Encode()})
		}
	}
	return links
}
