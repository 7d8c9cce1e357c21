package authflow

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// Names of the cookies, without prefix.
const (
	officesName = "apostille_offices" // IDs of offices that were picked here, the latest first
	wayBackName = "apostille_back"    // where the latest login of this browser began
)

// maxOffices is how many offices a browser remembers.
const maxOffices = 3

// officeID is what may stand in the cookie: the syntax of a trust's ID. The cookie is not signed, for it only orders what the
// person sees.
var officeID = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// remembered lists the offices that the browser remembers, the latest first. A cookie of another form is none.
func (f *Flow) remembered(r *http.Request) []string {
	value := f.Cookies.Get(r, officesName)
	if value == "" || len(value) > maxOffices*65 {
		return nil
	}
	var list []string
	for id := range strings.SplitSeq(value, "~") {
		if !officeID.MatchString(id) || len(list) == maxOffices {
			return nil
		}
		if !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	return list
}

// rememberOffice puts an office before those the browser remembers.
func (f *Flow) rememberOffice(w http.ResponseWriter, r *http.Request, office string) {
	list := slices.DeleteFunc(f.remembered(r), func(id string) bool { return id == office })
	list = append([]string{office}, list...)
	f.Cookies.Set(w, officesName, strings.Join(list[:min(len(list), maxOffices)], "~"), f.Remember)
}

// wayBackPurpose is what the way back is sealed for.
const wayBackPurpose = "login-way-back"

// maxWayBack keeps the cookie below what browsers take (4096 bytes with name and attributes).
const maxWayBack = 3500

// wayBack is where a login began. It lives in the browser, so that a login that is over can be explained, and begun again, without
// anything being kept here.
type wayBack struct {
	Login  []byte `json:"l"` // digest of its state
	Return string `json:"r"`
	Cancel string `json:"c,omitempty"`
}

// setWayBack remembers, in the browser, where a login begins.
func (f *Flow) setWayBack(w http.ResponseWriter, handle string, q Request) {
	b, err := json.Marshal(wayBack{Login: digest(handle), Return: q.Return, Cancel: q.Cancel})
	if err != nil {
		return // never: it is text
	}
	sealed := f.Box.Seal(wayBackPurpose, b)
	if len(sealed) > maxWayBack {
		f.Cookies.Clear(w, wayBackName)
		return
	}
	f.Cookies.Set(w, wayBackName, sealed, backTTL)
}

// wayBack finds where the login with this state began, if it was the browser's latest.
func (f *Flow) wayBack(r *http.Request, handle string) (wayBack, bool) {
	b, err := f.Box.Open(wayBackPurpose, f.Cookies.Get(r, wayBackName))
	if err != nil {
		return wayBack{}, false
	}
	var back wayBack
	if json.Unmarshal(b, &back) != nil || !sameDigest(back.Login, handle) || !localReturn(f.base(), back.Return) {
		return wayBack{}, false
	}
	return back, true
}
