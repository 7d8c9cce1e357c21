package page

// PostTemplate is a page that takes the browser elsewhere with a form: its script posts it, or the person does. Its data is a Post.
var PostTemplate = MustTemplate(files, "templates/post.html")

// Post is the dot of PostTemplate. Action is known to be http or https and to belong to whom the fields are for; Page.FormAction must list it.
type Post struct {
	Title, Text string // message keys; {0} is To
	To          string
	Action      string
	Fields      []Field
}

// Field is one field of a form.
type Field struct{ Name, Value string }
