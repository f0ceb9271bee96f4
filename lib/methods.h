/* methods.h - the list of self-supervised methods, in the order of the key `method`.
 *
 * A line METHOD(name) is the only entry of a method in a list. From it follow the choices of the
 * key (nn/net.c), the declaration of `hr_method_<name>` (ssl/method.h), its row in ssl/methods.c
 * and the row `over_<name>` in config/hierarchy.c. A method that lacks one of the two does not
 * build.
 */
#ifndef HR_METHODS_H
#define HR_METHODS_H

/* own: the application's method, last in the list */
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
