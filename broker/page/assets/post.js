// Posts the form at once. Without scripts the button does it.
document.getElementById("answer").requestSubmit();
