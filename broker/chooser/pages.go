package chooser

import (
	"embed"
	"net/http"
	"net/url"
	"strconv"

	"apostille/broker/page"
)

// Files are the messages and the script of this package, for page.Options.Messages.
//
//go:embed assets messages templates
var Files embed.FS

var template = page.MustTemplate(Files, "templates/picker.html")

// View is one showing of the picker. Every URL is a path of this host.
type View struct {
	Action     string // GET: search and pages; POST: choose (r, trust, remember=1 if wanted)
	SearchURL  string // GET with r, q: the results alone, for the script
	ForgetURL  string // POST with r
	CancelURL  string // back to the application; "" = no way back
	Sealed     string // the request, sealed: parameter r of all of them
	Text       string // what was typed
	ClientName string // the application; "" = it is not named
	Ranking    Ranking
	Remember   bool     // a choice can be remembered: offer it, checked
	Locales    []string // wishes of the request, as in page.Page
}

// Pages writes the picker.
type Pages struct {
	Page  *page.Renderer
	Logos *Logos // nil = initials only
	// FormAction lists where a choice may lead beside this origin: browsers hold the redirect to the office against it. nil =
	// {"https:"}; offices on http need "http:" as well, which is for development.
	FormAction []string
}

// Write answers with the whole page.
func (p *Pages) Write(w http.ResponseWriter, r *http.Request, v View) {
	made := p.page(r, v)
	made.Connect, made.Narrow, made.Languages = true, true, true
	made.FormAction = p.FormAction
	if made.FormAction == nil {
		made.FormAction = []string{"https:"}
	}
	p.Page.Write(w, r, made)
}

// Fragment answers with the results alone.
func (p *Pages) Fragment(w http.ResponseWriter, r *http.Request, v View) {
	p.Page.Fragment(w, r, p.page(r, v), "results")
}

// searchFrom is how many offices there must be before a search is worth its place on the page.
const searchFrom = 8

// picker is the dot of the template.
type picker struct {
	View
	UILocales          string // goes along with every form and link
	Continue, Results  []row
	Search, Autofocus  bool
	Previous, Next     string
	All                string // link to every office, where a hint narrowed them
	Total, Page, Pages int
}

// row is one office as it is shown.
type row struct {
	ID, Name, Detail, Logo string
	Avatar                 page.Avatar
}

func (p *Pages) page(r *http.Request, v View) page.Page {
	k := v.Ranking
	v.Text = Tidy(cut(v.Text))
	d := picker{
		View: v, UILocales: uiLocales(r), Continue: p.rows(k.Continue), Results: p.rows(k.Results),
		Total: k.Total, Page: k.Page, Pages: k.Pages,
		Search: k.Listed >= searchFrom || v.Text != "" || k.Domain != "",
	}
	d.Autofocus = d.Search && len(d.Continue) == 0
	if k.Page > 1 {
		d.Previous = d.link(v.Text, k.Page-1)
	}
	if k.Page < k.Pages {
		d.Next = d.link(v.Text, k.Page+1)
	}
	if v.Text == "" && k.Total < k.Listed {
		d.All = d.link(everything, 1)
	}
	if v.Text == everything {
		d.Text = ""
	}
	return page.Page{Template: template, Title: "chooser.title", Data: d, Locales: v.Locales}
}

func (d *picker) link(text string, number int) string {
	q := url.Values{"r": {d.Sealed}}
	if text != "" {
		q.Set("q", text)
	}
	if number > 1 {
		q.Set("page", strconv.Itoa(number))
	}
	if d.UILocales != "" {
		q.Set("ui_locales", d.UILocales)
	}
	return d.Action + "?" + q.Encode()
}

func (p *Pages) rows(offices []Office) []row {
	rows := make([]row, len(offices))
	for i, o := range offices {
		rows[i] = row{ID: o.ID, Name: o.Name, Avatar: page.NewAvatar(o.Name)}
		if len(o.Domains) > 0 {
			rows[i].Detail = page.Clean(o.Domains[0])
		}
		if p.Logos != nil {
			rows[i].Logo = p.Logos.URL(o)
		}
	}
	return rows
}

// uiLocales is the language that was chosen on the page, bounded: it is copied into links.
func uiLocales(r *http.Request) string {
	chosen := r.URL.Query().Get("ui_locales")
	if len(chosen) > 64 {
		return ""
	}
	return chosen
}
