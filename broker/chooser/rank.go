package chooser

import (
	"slices"
	"strings"
)

// everything is a search that finds every listed office: the way out of a list that a hint narrowed.
const everything = "*"

// Rank answers a query. It is a pure function of the index and the query.
func (x *Index) Rank(q Query) Ranking {
	allowed := x.allowed(q.Allowed)
	listed := x.listed(allowed)
	r := Ranking{Listed: len(listed)}
	text := strings.TrimSpace(q.Text)
	if text == "" {
		narrowed, domain := x.hinted(q, allowed)
		if !q.Select {
			if r.Direct = x.direct(narrowed, listed, allowed); r.Direct != "" {
				return r
			}
			if len(narrowed) > 0 {
				listed, r.Domain = narrowed, domain
			}
		}
		r.Continue = x.remembered(q.Remembered, allowed)
	} else if text != everything {
		listed = x.search(text, allowed)
	}
	x.paged(&r, listed, q)
	return r
}

// allowed says by number which offices the application takes.
func (x *Index) allowed(ids []string) []bool {
	set := make([]bool, len(x.offices))
	if ids == nil {
		for i := range set {
			set[i] = true
		}
		return set
	}
	for _, id := range ids {
		if i, ok := x.byID[id]; ok {
			set[i] = true
		}
	}
	return set
}

// listed are the offices that may be shown without a hint, in order.
func (x *Index) listed(allowed []bool) []int32 {
	list := make([]int32, 0, len(allowed))
	for i, ok := range allowed {
		if ok && !x.offices[i].Hidden {
			list = append(list, int32(i))
		}
	}
	return list
}

// hinted are the allowed offices that a hint names, and the domain if it was that of login_hint. A hint that names none is no
// hint.
func (x *Index) hinted(q Query, allowed []bool) (list []int32, domain string) {
	if i, ok := x.byID[q.Hint]; ok && allowed[i] {
		return []int32{i}, ""
	}
	if list = only(x.byIssuer[q.Hint], allowed); len(list) > 0 {
		return list, ""
	}
	if domain, ok := EmailDomain(q.LoginHint); ok {
		return only(x.byDomain[domain], allowed), domain
	}
	return nil, ""
}

func only(list []int32, allowed []bool) (kept []int32) {
	for _, i := range list {
		if allowed[i] {
			kept = append(kept, i)
		}
	}
	return kept
}

// direct is the one office there is no choice about: the only one a hint names, or the only one there is.
func (x *Index) direct(hinted, listed []int32, allowed []bool) string {
	switch {
	case len(hinted) == 1:
		return x.offices[hinted[0]].ID
	case len(hinted) > 1:
		return ""
	case len(listed) == 1:
		return x.offices[listed[0]].ID
	case len(listed) > 1:
		return ""
	}
	one := -1 // an application pinned to an office that is not listed
	for i, ok := range allowed {
		if ok && one >= 0 {
			return ""
		}
		if ok {
			one = i
		}
	}
	if one < 0 {
		return ""
	}
	return x.offices[one].ID
}

// remembered are the choices made before that can be made again.
func (x *Index) remembered(ids []string, allowed []bool) (list []Office) {
	for n, id := range ids {
		if i, ok := x.byID[id]; ok && allowed[i] && !slices.Contains(ids[:n], id) {
			list = append(list, x.offices[i])
		}
		if len(list) == maxContinue {
			break
		}
	}
	return list
}

// paged fills in one page of a list. A page past the last is the last.
func (x *Index) paged(r *Ranking, list []int32, q Query) {
	per := q.PerPage
	if per <= 0 {
		per = DefaultPerPage
	}
	per = min(per, maxPerPage)
	r.Total = len(list)
	r.Pages = max(1, (len(list)+per-1)/per)
	r.Page = min(max(1, q.Page), r.Pages)
	from := (r.Page - 1) * per
	for _, i := range list[from:min(from+per, len(list))] {
		r.Results = append(r.Results, x.offices[i])
	}
}
