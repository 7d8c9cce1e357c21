package page

import (
	"cmp"
	"fmt"
	"html/template"
	"io/fs"
)

// Template is one page's content. It is parsed once per language and renderer, because functions such as T know both.
type Template struct{ name, text string }

// instance is a template in a language.
type instance struct {
	template *Template
	lang     string
}

// MustTemplate reads a template of an embedded folder. It panics if the file is missing or malformed: that is a fault of the
// program, found by any test that imports the package.
func MustTemplate(folder fs.FS, name string) *Template {
	text, err := fs.ReadFile(folder, name)
	if err != nil {
		panic(fmt.Sprintf("page: template: %v", err))
	}
	t := &Template{name: name, text: string(text)}
	if _, err := t.parse((&Renderer{}).funcs("")); err != nil {
		panic(fmt.Sprintf("page: template %s: %v", name, err))
	}
	return t
}

// layout is the frame of every page. A page's own definitions replace the empty "head".
var layout = func() string {
	text, err := files.ReadFile("templates/layout.html")
	if err != nil {
		panic(fmt.Sprintf("page: layout: %v", err)) // embedded: it is there
	}
	return string(text)
}()

func (t *Template) parse(funcs template.FuncMap) (*template.Template, error) {
	frame, err := template.New("layout").Funcs(funcs).Parse(layout)
	if err != nil {
		return nil, err
	}
	if _, err := frame.New("main").Parse(t.text); err != nil {
		return nil, err
	}
	return frame, nil
}

// parsed returns a template in a language.
func (r *Renderer) parsed(t *Template, lang string) (*template.Template, error) {
	key := instance{template: t, lang: lang}
	if ready, ok := r.templates.Load(key); ok {
		return ready.(*template.Template), nil
	}
	made, err := t.parse(r.funcs(lang))
	if err != nil {
		return nil, err
	}
	ready, _ := r.templates.LoadOrStore(key, made)
	return ready.(*template.Template), nil
}

// funcs are what templates may call.
func (r *Renderer) funcs(lang string) template.FuncMap {
	return template.FuncMap{
		"T":       func(key string, args ...any) string { return r.text(lang, key, args) },
		"lang":    func() string { return lang },
		"base":    func() string { return r.base },
		"brand":   func() string { return r.brand },
		"contact": func() Contact { return r.contact },
		"asset":   r.asset,
		"avatar":  NewAvatar,
		"clean":   Clean,
		"spoken":  func(texts map[string]string) string { return cmp.Or(texts[lang], texts[""]) }, // by language; "" = any other
		"href":    Href,
	}
}
