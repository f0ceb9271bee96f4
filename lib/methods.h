/* methods.h - the list of self-supervised methods, in the order of the key `method`.
 *
 * A line METHOD(name) makes the name a choice of the key (nn/net.c), declares `hr_method_<name>`
 * (ssl/method_table.h), and adds it to the table of ssl/method_table.c and `over_<name>` to the
 * table of config/hierarchy.c. If one of these two is not defined, the build fails. Add new methods
 * at the end: files store names, but tests use the number of a method.
 */
#ifndef HR_METHODS_H
#define HR_METHODS_H

/* own: the application's method */
#define HR_METHODS(METHOD)                                                                         \
    METHOD(mocov2)                                                                                 \
    METHOD(simsiam)                                                                                \
    METHOD(swav)                                                                                   \
    METHOD(mocov3)                                                                                 \
    METHOD(dino)                                                                                   \
    METHOD(ibot)                                                                                   \
    METHOD(own)

#define HR_METHOD_WORD(name) " " #name
/* the names separated by one space, for the choices of a key; [1] skips the first space */
#define HR_METHOD_WORDS (&(HR_METHODS(HR_METHOD_WORD))[1])

#endif
