package authflow

import (
	"embed"
	"net/http"

	"apostille/broker/page"
)

// Messages are the texts of this package's page, for page.Options.
//
//go:embed messages/*.json
var Messages embed.FS

//go:embed templates/*.html
var templates embed.FS

var failureTemplate = page.MustTemplate(templates, "templates/failure.html")

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
