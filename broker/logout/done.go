package logout

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"apostille/broker/page"
	"apostille/broker/session"
	"apostille/broker/store"
)

// outcome is what ended, and whom we tell.
type outcome struct {
	session.Ended
	At    time.Time // not after the deliveries were queued
	Told  []store.Delivery
	Hints map[string]string // ID tokens of the offices, by trust
}

// doneView is the dot of the last page.
type doneView struct {
	Title, Lead string // message keys
	Application string
	Back        string // "" = nowhere
	Told        []told
	Again       string // address of what has come of it since; "" = nothing more will
	Asked       []asked
	Offices     []office

	open bool // an application may still answer
}

// tell adds an application that is told by a logout token.
func (v *doneView) tell(name, state string) {
	if one := (told{Name: name, State: "logout.told." + state}); !slices.Contains(v.Told, one) { // it hears of each person of the session
		v.Told = append(v.Told, one)
	}
	v.open = v.open || state == StateQueued || state == StateTrying
}

// asked is an application that its frame asks to sign out: nobody hears whether it did. Frame is "" where it was asked before.
type asked struct{ Name, client, Frame string }

// office is where somebody may still be signed in.
type office struct{ Name, URL string }

// out says that nobody is signed in any more; without an outcome nobody was. Without anything to show it goes straight back to the application.
func (e *Endpoint) out(w http.ResponseWriter, r *http.Request, q request, o *outcome) {
	v := doneView{Title: "logout.nobody.title", Lead: "logout.nobody.text", Application: e.clientName(q.Client), Back: page.Href(q.back())}
	var frames []string
	if o != nil {
		v.Title, v.Lead = "logout.done.title", "logout.done.text"
		again := report{request: q, Since: o.At}
		for _, d := range o.Told { // not o.Sessions: one that was over already may have led to something that lived
			v.tell(e.clientName(d.Client), StateOf(d))
			if d.Session != "" && !slices.Contains(again.Sessions, d.Session) { // "" would be everybody's
				again.Sessions = append(again.Sessions, d.Session)
			}
		}
		v.Asked = e.fronts(slices.DeleteFunc(slices.Clone(o.Families), func(f store.Family) bool { return q.Knows != "" && f.Client == q.Knows }))
		v.Offices = e.stillAt(r, o)
		for _, a := range v.Asked {
			frames = append(frames, origins(a.Frame)...)
			again.Asked = append(again.Asked, a.client)
		}
		if v.open {
			v.Again = e.reportLink(again)
		}
	}
	if back := q.back(); back != "" && len(v.Asked) == 0 && len(v.Offices) == 0 {
		http.Redirect(w, r, back, http.StatusSeeOther)
		return
	}
	e.Pages.Write(w, r, page.Page{Template: doneTemplate, Title: v.Title, Locales: q.Locales, Narrow: true, Frames: slices.Compact(frames), Data: v})
}

// fronts lists the applications that want to hear of it in the browser, with iss and sid (Front-Channel Logout §2).
func (e *Endpoint) fronts(families []store.Family) (list []asked) {
	seen := map[string]bool{}
	for _, f := range families {
		c, ok := e.Registry().Client(f.Client)
		if link := e.samlLink(f); ok && link != "" && !seen[f.Client+f.SID] {
			seen[f.Client+f.SID] = true
			list = append(list, asked{Name: e.clientName(f.Client), client: f.Client, Frame: link})
			continue
		}
		if !ok || c.Spec.App == nil || c.Spec.App.FrontchannelLogoutURI == "" || seen[f.Client+f.SID] {
			continue
		}
		seen[f.Client+f.SID] = true
		u, err := url.Parse(c.Spec.App.FrontchannelLogoutURI)
		if err != nil { // it was compiled
			continue
		}
		q := u.Query()
		q.Set("iss", e.Registry().Issuer())
		q.Set("sid", f.SID)
		u.RawQuery = q.Encode()
		list = append(list, asked{Name: e.clientName(f.Client), client: f.Client, Frame: u.String()})
	}
	return list
}

// samlLink is what asks an application that speaks SAML (SAML Profiles 2.0 §4.4); "" = it does not.
func (e *Endpoint) samlLink(f store.Family) string {
	if e.SAML == nil {
		return ""
	}
	return e.SAML.LogoutURL(f)
}

// stillAt lists the offices where the browser's session can be ended as well. One that does not answer is left out.
func (e *Endpoint) stillAt(r *http.Request, o *outcome) (list []office) {
	for _, s := range o.Sessions {
		for _, i := range s.Identities {
			t, ok := e.Registry().Trust(i.Trust)
			if !ok || t.Spec.Disabled || t.Spec.Login == nil {
				continue
			}
			link, err := e.Offices.LogoutURL(r.Context(), t, o.Hints[i.Trust], "", "")
			if err == nil && link != "" {
				list = append(list, office{Name: t.Title(), URL: page.Href(link)})
			}
		}
	}
	return list
}
