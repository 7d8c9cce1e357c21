package logout

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"apostille/broker/oauth"
	"apostille/broker/page"
	"apostille/broker/store"
)

const (
	reportPurpose = "logout-report"
	reportTTL     = time.Hour // the last attempt is made within a quarter of it
	maxReported   = 1000
)

// What is known of a back-channel logout. An application that answered 200 has ended its session (Back-Channel Logout §2.8).
const (
	StateQueued    = "queued"    // nobody has been asked yet
	StateTrying    = "trying"    // it did not answer as it should, and is asked again
	StateConfirmed = "confirmed" // it says that the session is over
	StateGivenUp   = "given_up"
)

// StateOf is what is known of a delivery.
func StateOf(d store.Delivery) string {
	switch {
	case !d.Done.IsZero():
		return StateConfirmed
	case !d.Failed.IsZero():
		return StateGivenUp
	case d.Attempts > 0:
		return StateTrying
	}
	return StateQueued
}

// told is an application that is told by a logout token, and what came of it so far.
type told struct{ Name, State string }

// report is what the last page shows again. It travels in the URL, sealed: what applications somebody used is nobody else's business.
type report struct {
	request
	Sessions []string  `json:"i"`
	Asked    []string  `json:"a,omitempty"` // clients that were asked in the browser
	Since    time.Time `json:"t"`
}

// reportLink is the address of the report.
func (e *Endpoint) reportLink(in report) string {
	plain, err := json.Marshal(in)
	if err != nil { // never: it is text and times
		return ""
	}
	return e.Base + ReportPath + "?r=" + url.QueryEscape(e.Box.Seal(reportPurpose, plain))
}

// Report shows what has come of a logout since: GET, and it changes nothing.
func (e *Endpoint) Report() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		in, err := e.readReport(r.URL.RawQuery)
		if err != nil {
			e.Pages.Error(w, r, page.ErrorPage{Status: http.StatusBadRequest, Title: "logout.report.over.title", Text: "logout.report.over.text"})
			return
		}
		v := doneView{Title: "logout.done.title", Lead: "logout.done.text", Application: e.clientName(in.Client), Back: page.Href(in.back())}
		for _, id := range in.Sessions {
			list, err := e.Tell.Store.ListDeliveries(r.Context(), id, maxReported)
			if err != nil {
				e.unavailable(w, r, "reading what applications answered", err)
				return
			}
			for _, d := range list {
				if !d.Created.Before(in.Since) { // what was told of this session earlier is another story
					v.tell(e.clientName(d.Client), StateOf(d))
				}
			}
		}
		for _, client := range in.Asked {
			v.Asked = append(v.Asked, asked{Name: e.clientName(client)})
		}
		if v.open {
			v.Again = e.reportLink(in)
		}
		e.Pages.Write(w, r, page.Page{Template: doneTemplate, Title: v.Title, Locales: in.Locales, Narrow: true, Data: v})
	})
}

func (e *Endpoint) readReport(query string) (in report, err error) {
	p, bad := oauth.ParseParams(query)
	if bad != nil {
		return in, bad
	}
	plain, err := e.Box.Open(reportPurpose, p.Get("r"))
	if err == nil {
		err = json.Unmarshal(plain, &in)
	}
	if err == nil && e.Now().Sub(in.Since) > reportTTL {
		err = errors.New("logout: the report is too old")
	}
	return in, err
}
