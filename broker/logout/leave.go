package logout

import "net/http"

// Leave ends the browser's session at the word of an application that has proved which one it means, and goes on to back: nobody is asked first.
// The application itself knows, and is not told.
func (e *Endpoint) Leave(w http.ResponseWriter, r *http.Request, client, back string) {
	q := request{Client: client, Return: back}
	s, err := e.Sessions.Current(r)
	switch {
	case err != nil:
		e.unavailable(w, r, "reading a session", err)
	case s == nil:
		e.out(w, r, q, nil)
	default:
		q.Knows = client
		e.end(w, r, q, s)
	}
}
