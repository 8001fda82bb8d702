// Starts the reader of the API document (page /api/docs).
const place = document.getElementById("reader");
window.SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  deepLinking: true,
  validatorUrl: null,
  persistAuthorization: false,
  docExpansion: "list",
});
