package authorize

import (
	"net/url"
	"strings"
)

// Limits of a request. The first also bounds what a picker's link carries, which must fit into a request line of 8 KB once sealed.
const (
	maxQuery  = 4 << 10 // bytes of parameters as sent by a browser
	maxPushed = 6 << 10 // bytes of parameters as pushed; stored within store.MaxPending
	maxParams = 64
)

// values are the parameters of a request, read once. One that was sent empty counts as absent (RFC 6749 §3.1).
type values struct {
	all      map[string][]string
	repeated []string // names that may not be repeated and were, in the order they came
}

// readValues reads a query or a form. One parameter may be repeated. Of the others repetition is noted and judged later, because who may be told of it depends on which
// parameter it is; what is not form-encoded, or too much, is a fault of the whole.
func readValues(raw string, limit int, repeatable string) (values, *problem) {
	if len(raw) > limit {
		return values{}, onPage("the request is larger than this server reads")
	}
	v := values{all: make(map[string][]string, 16)}
	for count := 1; raw != ""; count++ {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		if pair == "" {
			continue
		}
		if count > maxParams {
			return values{}, onPage("the request has too many parameters")
		}
		if p := v.add(pair, repeatable); p != nil {
			return values{}, p
		}
	}
	return v, nil
}

func (v *values) add(pair, repeatable string) *problem {
	rawName, rawValue, _ := strings.Cut(pair, "=")
	name, err1 := url.QueryUnescape(rawName)
	value, err2 := url.QueryUnescape(rawValue)
	if err1 != nil || err2 != nil {
		return onPage("the request is not form-encoded")
	}
	list, seen := v.all[name]
	if seen && name != repeatable {
		v.repeated = append(v.repeated, name)
	}
	if value != "" {
		list = append(list, value)
	}
	v.all[name] = list
	return nil
}

// get returns a parameter's value, "" if absent. Of a repeated one it is the first.
func (v values) get(name string) string {
	if list := v.all[name]; len(list) > 0 {
		return list[0]
	}
	return ""
}

// words splits a list that is separated by spaces and drops repetitions.
func (v values) words(name string) []string {
	var out []string
	for w := range strings.SplitSeq(v.get(name), " ") {
		if w != "" && !contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

// encode writes the parameters among names in one spelling, whatever the order they came in.
func (v values) encode(names []string) string {
	out := url.Values{}
	for _, name := range names {
		if list := v.all[name]; len(list) > 0 {
			out[name] = list
		}
	}
	return out.Encode()
}
