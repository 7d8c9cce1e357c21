package authflow

import (
	"embed"
	"maps"
	"net/http"
	"slices"

	"apostille/broker/page"
)

// Messages are the texts of this package's page, for page.Options.
//
//go:embed messages/*.json
var Messages embed.FS

//go:embed templates/*.html
var templates embed.FS

var (
	failureTemplate = page.MustTemplate(templates, "templates/failure.html")
	leftTemplate    = page.MustTemplate(templates, "templates/left.html")
)

// Writer writes pages; *page.Renderer implements it.
type Writer interface {
	Write(w http.ResponseWriter, r *http.Request, p page.Page)
}

// FailurePages is Pages as people see them.
type FailurePages struct {
	Writer     Writer
	FormAction []string // where offices are, as sources of a content security policy
}

// failureView is the dot of the page.
type failureView struct {
	Failure

	Title, Text           string // message keys
	Again, Picker, Cancel string
}

// Failure implements Pages.
func (p *FailurePages) Failure(w http.ResponseWriter, r *http.Request, f Failure) {
	key := "authflow." + string(f.Kind)
	out := page.Page{
		Status: f.Status, Template: failureTemplate, Title: key + ".title", Locales: f.Locales, Narrow: true,
		Data: failureView{
			Failure: f, Title: key + ".title", Text: key + ".text",
			Again: page.Href(f.Again), Picker: page.Href(f.Picker), Cancel: page.Href(f.Cancel),
		},
	}
	if f.Retry != nil { // the form's answer leads to the office, wherever that is
		out.FormAction = p.FormAction
	}
	p.Writer.Write(w, r, out)
}

// Send implements Pages.
func (p *FailurePages) Send(w http.ResponseWriter, r *http.Request, s Sending) {
	form := page.Post{Title: "authflow.send.title", Text: "authflow.send.text", To: s.Office, Action: s.Action}
	for _, name := range slices.Sorted(maps.Keys(s.Fields)) {
		form.Fields = append(form.Fields, page.Field{Name: name, Value: s.Fields.Get(name)})
	}
	p.Writer.Write(w, r, page.Page{
		Template: page.PostTemplate, Title: form.Title, TitleArgs: []any{s.Office}, Locales: s.Locales, Narrow: true, Data: form, FormAction: p.FormAction,
	})
}

// Left implements Pages.
func (p *FailurePages) Left(w http.ResponseWriter, r *http.Request, l Left) {
	key := "authflow.left."
	if !l.Done {
		key = "authflow.stayed."
	}
	p.Writer.Write(w, r, page.Page{
		Template: leftTemplate, Title: key + "title", Narrow: true,
		Data: struct{ Title, Text, Office string }{key + "title", key + "text", l.Office},
	})
}
