package page

import "net/http"

// ErrorPage says what went wrong to a person: what, a reference that support can look up, and a way back.
type ErrorPage struct {
	Status      int    // 0 = 400
	Title, Text string // message keys; "" = page.error.title, page.error.text
	TextArgs    []any
	Reference   string   // the correlation id under which log and audit trail have the cause; "" = none
	BackURL     string   // a path of this host or an http(s) URL; anything else is not shown
	BackText    string   // message key; "" = page.error.back
	Locales     []string // as in Page
	Calm        bool     // nothing went wrong
}

var errorTemplate = MustTemplate(files, "templates/error.html")

// errorView is the dot of the error page.
type errorView struct {
	Title, BackText    string // keys
	Text               string // the message itself
	Reference, BackURL string
	Calm               bool
}

// Error answers with the error page.
func (r *Renderer) Error(w http.ResponseWriter, req *http.Request, e ErrorPage) {
	if e.Status == 0 {
		e.Status = http.StatusBadRequest
	}
	v := errorView{
		Title: or(e.Title, "page.error.title"), Text: r.text(r.language(req, e.Locales), or(e.Text, "page.error.text"), e.TextArgs),
		Reference: e.Reference, BackURL: Href(e.BackURL), BackText: or(e.BackText, "page.error.back"), Calm: e.Calm,
	}
	r.Write(w, req, Page{Status: e.Status, Template: errorTemplate, Title: v.Title, Data: v, Locales: e.Locales, Narrow: true})
}

func or(key, otherwise string) string {
	if key == "" {
		return otherwise
	}
	return key
}
