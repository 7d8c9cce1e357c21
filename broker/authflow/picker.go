package authflow

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"apostille/broker/chooser"
	"apostille/trust"
)

// maxForm bounds what is read of a form, in bytes: a sealed request and a few words, or an upstream's answer.
const maxForm = 64 << 10

// maxText bounds what is searched for, in bytes.
const maxText = 1000

// picker is GET /login: the offices to choose from.
func (f *Flow) picker(w http.ResponseWriter, r *http.Request) *refusal {
	v, x := f.view(r)
	if x != nil {
		return x
	}
	f.Chooser().Write(w, r, v)
	return nil
}

// search is GET /login/search: the list alone, for the picker's script.
func (f *Flow) search(w http.ResponseWriter, r *http.Request) *refusal {
	v, x := f.view(r)
	if x != nil {
		return x
	}
	f.Chooser().Fragment(w, r, v)
	return nil
}

// view is what the picker shows for r, q and page.
func (f *Flow) view(r *http.Request) (chooser.View, *refusal) {
	p, x := queryOf(r)
	if x != nil {
		return chooser.View{}, x
	}
	q, x := f.unseal(p.Get("r"))
	if x != nil {
		return chooser.View{}, x
	}
	text := p.Get("q")
	if len(text) > maxText {
		return chooser.View{}, &refusal{kind: Malformed, reason: trust.ReasonRequest, detail: "a search that is too long", again: q.Return}
	}
	query := f.query(r, q, f.offices(&q))
	query.Text = text
	query.Page, _ = strconv.Atoi(p.Get("page")) // what is no number is the first page
	base := f.base()
	return chooser.View{
		Action: base + "/login", SearchURL: base + "/login/search", ForgetURL: base + "/login/forget", CancelURL: q.Cancel,
		Sealed: p.Get("r"), Text: text, ClientName: q.ClientName, Ranking: f.Chooser().Rank(query), Remember: true,
		Locales: q.Locales,
	}, nil
}

// choose is POST /login: an office was picked.
func (f *Flow) choose(w http.ResponseWriter, r *http.Request) *refusal {
	p, x := formOf(w, r)
	if x != nil {
		return x
	}
	q, x := f.unseal(p.Get("r"))
	if x != nil {
		return x
	}
	office := p.Get("trust")
	if !slices.Contains(f.offices(&q), office) {
		return f.from(&refusal{kind: Gone, reason: trust.ReasonTrustNotLive, detail: "not an office of this application"}, q, "")
	}
	if p.Get("remember") != "" {
		f.rememberOffice(w, r, office)
	}
	return f.start(w, r, q, office)
}

// forget is POST /login/forget: the browser forgets its offices.
func (f *Flow) forget(w http.ResponseWriter, r *http.Request) *refusal {
	p, x := formOf(w, r)
	if x != nil {
		return x
	}
	if _, x := f.unseal(p.Get("r")); x != nil {
		return x
	}
	f.Cookies.Clear(w, officesName)
	http.Redirect(w, r, f.pickerURL(p.Get("r")), http.StatusSeeOther)
	return nil
}

// queryOf reads the parameters of a URL.
func queryOf(r *http.Request) (url.Values, *refusal) {
	p, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, &refusal{kind: Malformed, reason: trust.ReasonRequest, detail: "a query that cannot be read"}
	}
	return once(p)
}

// formOf reads the parameters of a form; those of the URL do not count.
func formOf(w http.ResponseWriter, r *http.Request) (url.Values, *refusal) {
	return formUpTo(w, r, maxForm)
}

func formUpTo(w http.ResponseWriter, r *http.Request, most int64) (url.Values, *refusal) {
	r.Body = http.MaxBytesReader(w, r.Body, most)
	if err := r.ParseForm(); err != nil {
		return nil, &refusal{kind: Malformed, reason: trust.ReasonRequest, detail: "a form that cannot be read or is too long"}
	}
	return once(r.PostForm)
}

// once refuses a parameter that is there twice: which of them counts would be a guess.
func once(p url.Values) (url.Values, *refusal) {
	for _, values := range p {
		if len(values) != 1 {
			return nil, &refusal{kind: Malformed, reason: trust.ReasonRequest, detail: "a parameter that is repeated"}
		}
	}
	return p, nil
}
