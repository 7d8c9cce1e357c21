package fake

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// Form is an HTML form of a page.
type Form struct {
	ID, Action, Method string     // Method is GET or POST
	Fields             url.Values // inputs that a browser would send without a button being pressed
	Buttons            []Button   // that submit the form
}

// Button is a submit button; its name and value are sent if it is pressed.
type Button struct{ Name, Value, Text string }

// The tags that make a form, as html/template writes them: an attribute never holds a bare ">".
var (
	formTag   = regexp.MustCompile(`(?is)<(/?)(form|input|button|textarea|select|option)\b([^>]*)>([^<]*)`)
	attribute = regexp.MustCompile(`(?s)([\w:-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?`)
)

func attributes(text string) map[string]string {
	attrs := map[string]string{}
	for _, m := range attribute.FindAllStringSubmatch(text, -1) {
		attrs[strings.ToLower(m[1])] = html.UnescapeString(m[2] + m[3] + m[4])
	}
	return attrs
}

// Forms finds the forms of a page, in order. A form without an action has that of the page.
func (pg *Page) Forms() []Form {
	var forms []Form
	var open *Form
	var selected string // name of the select that is open
	for _, m := range formTag.FindAllStringSubmatch(pg.Body, -1) {
		closing, tag, a, text := m[1] == "/", strings.ToLower(m[2]), attributes(m[3]), strings.TrimSpace(html.UnescapeString(m[4]))
		switch {
		case tag == "form" && !closing:
			forms = append(forms, newForm(a, pg.URL))
			open = &forms[len(forms)-1]
		case tag == "form":
			open = nil
		case open == nil || closing:
		case tag == "select":
			selected = a["name"]
		case tag == "option":
			open.choose(selected, a, text)
		default:
			open.add(tag, a, text)
		}
	}
	return forms
}

func newForm(a map[string]string, at *url.URL) Form {
	f := Form{ID: a["id"], Action: a["action"], Method: strings.ToUpper(a["method"]), Fields: url.Values{}}
	if f.Method != http.MethodPost {
		f.Method = http.MethodGet
	}
	if f.Action == "" {
		f.Action = at.String()
	}
	return f
}

// choose takes an option of a select: the one that is marked, else the first.
func (f *Form) choose(name string, a map[string]string, text string) {
	value, ok := a["value"]
	if !ok {
		value = text
	}
	if _, marked := a["selected"]; marked || !f.Fields.Has(name) {
		f.Fields.Set(name, value)
	}
}

// add takes an input, a textarea or a button.
func (f *Form) add(tag string, a map[string]string, text string) {
	if _, off := a["disabled"]; off {
		return
	}
	_, checked := a["checked"]
	switch kind := strings.ToLower(a["type"]); {
	case tag == "button" && (kind == "" || kind == "submit"), tag == "input" && (kind == "submit" || kind == "image"):
		f.Buttons = append(f.Buttons, Button{Name: a["name"], Value: a["value"], Text: text})
	case tag == "button" || a["name"] == "" || (kind == "checkbox" || kind == "radio") && !checked:
	case tag == "textarea":
		f.Fields.Add(a["name"], text)
	case kind == "checkbox" && a["value"] == "":
		f.Fields.Add(a["name"], "on")
	default:
		f.Fields.Add(a["name"], a["value"])
	}
}

// Form returns the form that has a field or button of the name; false if there is none.
func (pg *Page) Form(field string) (Form, bool) {
	for _, f := range pg.Forms() {
		if f.Fields.Has(field) {
			return f, true
		}
		for _, b := range f.Buttons {
			if b.Name == field {
				return f, true
			}
		}
	}
	return Form{}, false
}

// postsItself says that the page has a script and a form that carries a message to another host: OAuth's form_post, or SAML's POST binding.
func (pg *Page) postsItself() bool {
	if !strings.Contains(pg.Body, "<script") {
		return false
	}
	for _, f := range pg.Forms() {
		oauth := f.Fields.Has("state") && (f.Fields.Has("code") || f.Fields.Has("error"))
		if f.Method == http.MethodPost && (oauth || f.Fields.Has("SAMLRequest") || f.Fields.Has("SAMLResponse")) {
			return true
		}
	}
	return false
}
